use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::setting::SwitchSetting;
use super::source::{READ_LIMIT, SourceError, SwitchSource};
use crate::rt::{self, Blocking, files};
use crate::terms::SourceProblem;

/// A file that sets a kill switch. See the [module](super) for its format.
///
/// It is polled and not watched: that works on every system, on network file systems, and if the file is
/// replaced by renaming a folder, as Kubernetes does. A pipe or a device is not opened, and a read that
/// hangs doesn't keep a runtime from shutting down. Of its content, only who and why are ever shown,
/// because it may be the wrong file.
#[derive(Clone)]
#[must_use = "a file moves nothing until a switch follows it"]
pub struct SwitchFile {
    path: PathBuf,
    every: Duration,
    next_read: Option<Instant>,
    last: Option<Result<String, SourceError>>,
    reading: Reading,
}

/// A read that runs on a thread for blocking work; a clone has none.
#[derive(Debug, Default)]
struct Reading(Option<Blocking<Result<String, SourceError>>>);

// === impl SwitchFile ===

impl SwitchFile {
    /// The file at `path`, which need not exist yet. Once it has existed, a missing file is an error:
    /// leave it there, with `on`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let every = Duration::from_secs(1);
        Self { path: path.into(), every, next_read: None, last: None, reading: Reading::default() }
    }

    /// How often it is read; a second by default, a millisecond at most.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.max(Duration::from_millis(1));
        self
    }

    /// Waits until the next read is due, and reads the file.
    async fn read_when_due(&mut self) -> Result<String, SourceError> {
        if let Some(at) = self.next_read {
            rt::sleep_until(at).await;
        }
        let begin = || {
            let path = self.path.clone();
            rt::blocking(move || read(&path))
        };
        // If the last read still hangs, wait for it instead of starting another.
        let reading = self.reading.0.get_or_insert_with(begin);
        let read = rt::until(Some(rt::after(rt::now(), READ_LIMIT)), reading).await;
        // Set after the read, so that a read that was cancelled is repeated at once.
        self.next_read = Some(rt::after(rt::now(), self.every));
        let Some(read) = read else {
            return Err(unreadable(&self.path, format_args!("no answer within {READ_LIMIT:?}")));
        };
        self.reading = Reading::default();
        read.unwrap_or_else(|| Err(unreadable(&self.path, "it can't be read")))
    }

    fn word(&self, text: &str) -> Result<SwitchSetting, SourceError> {
        text.parse().map_err(|invalid| {
            let detail = format!("{}: {invalid}", self.path.display());
            SourceError::new(SourceProblem::Malformed, detail)
        })
    }
}

impl SwitchSource for SwitchFile {
    async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
        loop {
            let content = self.read_when_due().await;
            if self.last.as_ref() == Some(&content) {
                continue;
            }
            let word = content.as_deref().map_err(Clone::clone).and_then(|text| self.word(text));
            self.last = Some(content);
            return Some(word);
        }
    }
}

// === impl Reading ===

impl Clone for Reading {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for SwitchFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwitchFile")
            .field("path", &self.path)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<String, SourceError> {
    let bytes = files::read_small(path, MAX_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            SourceError::new(SourceProblem::Missing, format!("{} isn't there", path.display()))
        }
        // The error's text says why.
        io::ErrorKind::InvalidInput => unreadable(path, error),
        kind => unreadable(path, format_args!("it can't be read: {kind}")),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let detail =
            format!("{}: {} bytes that are no text", path.display(), error.as_bytes().len());
        SourceError::new(SourceProblem::Malformed, detail)
    })
}

fn unreadable(path: &Path, why: impl fmt::Display) -> SourceError {
    SourceError::new(SourceProblem::Unreadable, format!("{}: {why}", path.display()))
}

/// Far more than a mode and a reason.
const MAX_BYTES: u64 = 64 * 1024;
