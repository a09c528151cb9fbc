use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::rt::{self, Clock};

/// Where full files go: `audit.jsonl.1` is the last of them, `audit.jsonl.2` the one before.
#[derive(Debug, Default)]
pub(super) struct Aside {
    trouble: Option<(Instant, io::Error)>,
}

/// The right to put files aside, which one service has at a time: two at once would write over what
/// the other has just put there.
#[derive(Debug)]
pub(super) struct Turn(PathBuf);

// === impl Aside ===

impl Aside {
    /// Whether it is too early to try again what failed.
    pub(super) fn is_stuck(&self) -> bool {
        let since = |(at, _): &(Instant, io::Error)| rt::now().saturating_duration_since(*at);
        self.trouble.as_ref().is_some_and(|trouble| since(trouble) < AGAIN)
    }

    /// Why a full file is still where it was.
    pub(super) fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref().map(|(_, error)| error)
    }

    /// Waits for nobody: nothing while another service puts files aside, or where that can't be.
    pub(super) fn turn(&mut self, path: &Path) -> Option<Turn> {
        let turn = Turn::of(path);
        turn.unwrap_or_else(|error| {
            self.trouble = Some((rt::now(), error));
            None
        })
    }

    /// Puts a file there, as one of so many.
    pub(super) fn take(&mut self, path: &Path, keep: usize, _turn: Turn) {
        self.trouble = put_aside(path, keep).err().map(|error| (rt::now(), error));
    }
}

// === impl Turn ===

impl Turn {
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let lock = beside(path, "lock");
        let begun = || OpenOptions::new().write(true).create_new(true).open(&lock);
        match begun() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let age = |since| Clock::system().wall().duration_since(since).unwrap_or_default();
                let since = fs::metadata(&lock).and_then(|known| known.modified());
                if since.is_ok_and(|since| age(since) > AGAIN) {
                    // Whoever took it has died over it. The next try has it.
                    fs::remove_file(&lock)?;
                }
                Ok(None)
            }
            begun => begun.map(|_| Some(Self(lock))),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // One that stays is taken for a dead one's.
        let _ = fs::remove_file(&self.0);
    }
}

fn put_aside(path: &Path, keep: usize) -> io::Result<()> {
    if keep == 0 {
        return fs::remove_file(path);
    }
    let aside = |number: usize| beside(path, &number.to_string());
    let is_free = |number: &usize| fs::symlink_metadata(aside(*number)).is_err();
    // As far as to a gap: one that a try left which failed halfway costs no further file.
    let free = match (1..=keep).find(is_free) {
        Some(free) => free,
        None => {
            fs::remove_file(aside(keep))?;
            keep
        }
    };
    for number in (1..free).rev() {
        fs::rename(aside(number), aside(number + 1))?;
    }
    fs::rename(path, aside(1))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// How long a file that can't be put aside is written on before that is tried again.
const AGAIN: Duration = Duration::from_secs(60);
