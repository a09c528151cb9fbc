use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::setting::SwitchSetting;
use super::source::{LIMIT, SourceError, SwitchSource};
use crate::event::SourceProblem;
use crate::rt::{self, Blocking};

/// A file that says where a kill switch shall stand. See the [module](super) for what it holds.
///
/// It is read again and again rather than watched: that works on every system, on network file
/// systems and where the file is swapped by renaming a folder, as Kubernetes does.
#[derive(Clone, Debug)]
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
struct Reading(Option<Blocking<Result<String, SourceProblem>>>);

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
        let path = self.path.display();
        let Some(read) = read else {
            let detail = format!("{path}: no answer within {LIMIT:?}");
            return Err(SourceError::new(SourceProblem::Unreadable, detail));
        };
        self.reading = Reading::default();
        read.unwrap_or(Err(SourceProblem::Unreadable)).map_err(|problem| {
            let detail = match problem {
                SourceProblem::Missing => format!("{path} isn't there"),
                _ => format!("{path} can't be read"),
            };
            SourceError::new(problem, detail)
        })
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

fn read(path: &Path) -> Result<String, SourceProblem> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SourceProblem::Missing,
        _ => SourceProblem::Unreadable,
    };
    let mut bytes = Vec::new();
    File::open(path).map_err(missing)?.take(MOST).read_to_end(&mut bytes).map_err(missing)?;
    String::from_utf8(bytes).map_err(|_| SourceProblem::Malformed)
}

/// Far more than a mode and a reason.
const MOST: u64 = 64 * 1024;
