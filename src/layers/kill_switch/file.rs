use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::setting::SwitchSetting;
use super::source::{LIMIT, SourceError, SwitchSource};
use crate::rt::{self, Blocking, files};
use crate::terms::SourceProblem;

/// A file that says where a kill switch shall stand. See the [module](super) for what it holds.
///
/// It is read again and again rather than watched: that works on every system, on network file
/// systems and where the file is swapped by renaming a folder, as Kubernetes does. A pipe or a device is
/// not opened, and a read that hangs keeps no runtime from ending. What the file holds is never shown but
/// for who and why: it may be the wrong file.
#[derive(Clone)]
#[must_use = "a file moves nothing until a switch follows it"]
pub struct SwitchFile {
    path: PathBuf,
    every: Duration,
    next_look: Option<Instant>,
    seen: Option<Result<String, SourceError>>,
    reading: Reading,
}

/// What reads it just now, perhaps for longer than anybody waits; a clone begins without.
#[derive(Debug, Default)]
struct Reading(Option<Blocking<Result<String, SourceError>>>);

// === impl SwitchFile ===

impl SwitchFile {
    /// The file at `path`; it need not be there yet. Once it was, it is missed: leave it there, and
    /// let it say `on`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let every = Duration::from_secs(1);
        Self { path: path.into(), every, next_look: None, seen: None, reading: Reading::default() }
    }

    /// How often it is read; a second by default, a millisecond at most.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.max(Duration::from_millis(1));
        self
    }

    /// Waits for the next look, and takes it.
    async fn look(&mut self) -> Result<String, SourceError> {
        if let Some(at) = self.next_look {
            rt::sleep_until(at).await;
        }
        let begin = || {
            let path = self.path.clone();
            rt::blocking(move || read(&path))
        };
        // A read that is stuck is waited for again, rather than others sent after it.
        let reading = self.reading.0.get_or_insert_with(begin);
        let read = rt::until(Some(rt::after(rt::now(), LIMIT)), reading).await;
        // Set after the reading: a look that was cut short is taken again at once.
        self.next_look = Some(rt::after(rt::now(), self.every));
        let Some(read) = read else {
            return Err(unreadable(&self.path, format_args!("no answer within {LIMIT:?}")));
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
            let content = self.look().await;
            if self.seen.as_ref() == Some(&content) {
                continue;
            }
            let word = content.as_deref().map_err(Clone::clone).and_then(|text| self.word(text));
            self.seen = Some(content);
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
    let bytes = files::read_small(path, MOST).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            SourceError::new(SourceProblem::Missing, format!("{} isn't there", path.display()))
        }
        // What is refused here says why.
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
const MOST: u64 = 64 * 1024;
