use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::setting::SwitchSetting;
use super::source::{SourceError, SwitchSource};
use crate::event::SourceProblem;
use crate::rt;

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
    seen: Option<Result<String, SourceProblem>>,
}

impl SwitchFile {
    /// The file at `path`; it need not be there yet. Once it was, it is missed: leave it there, and
    /// let it say `on`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let every = Duration::from_secs(1);
        Self { path: path.into(), every, next_look: None, seen: None }
    }

    /// How often it is read; a second by default, a millisecond at most.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.max(Duration::from_millis(1));
        self
    }

    /// Waits for the next look, and takes it.
    async fn look(&mut self) -> Result<String, SourceProblem> {
        if let Some(at) = self.next_look {
            rt::sleep_until(at).await;
        }
        let path = self.path.clone();
        let read = rt::blocking(move || read(&path)).await;
        // Set after the reading: a look that was cut short is taken again at once.
        self.next_look = Some(rt::after(rt::now(), self.every));
        read.unwrap_or(Err(SourceProblem::Unreadable))
    }

    fn word(&self, content: Result<&str, SourceProblem>) -> Result<SwitchSetting, SourceError> {
        let path = self.path.display();
        let text = content.map_err(|problem| {
            let detail = match problem {
                SourceProblem::Missing => format!("{path} isn't there"),
                _ => format!("{path} can't be read"),
            };
            SourceError::new(problem, detail)
        })?;
        text.parse().map_err(|invalid| {
            SourceError::new(SourceProblem::Malformed, format!("{path}: {invalid}"))
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
            let word = self.word(content.as_deref().map_err(|problem| *problem));
            self.seen = Some(content);
            return Some(word);
        }
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
