use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::turn::{Seen, Turn};
use crate::rt;

/// Where full files go: `audit.jsonl.1` is the last of them, `audit.jsonl.2` the one before.
#[derive(Debug, Default)]
pub(super) struct Aside {
    trouble: Option<(Instant, io::Error)>,
    /// The lock of another service, as it was seen last.
    other: Seen,
}

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
        let turn = Turn::take(beside(path, "lock"), &mut self.other, rt::now());
        turn.unwrap_or_else(|error| {
            self.trouble = Some((rt::now(), error));
            None
        })
    }

    /// Puts a file there, as one of so many.
    pub(super) fn take(&mut self, path: &Path, keep: usize, mut turn: Turn) {
        let put = put_aside(path, keep, &mut turn);
        self.trouble = put.err().map(|error| (rt::now(), error));
    }
}

fn put_aside(path: &Path, keep: usize, turn: &mut Turn) -> io::Result<()> {
    if keep == 0 {
        turn.confirm()?;
        return fs::remove_file(path);
    }
    let aside = |number: usize| beside(path, &number.to_string());
    let is_free = |number: &usize| fs::symlink_metadata(aside(*number)).is_err();
    // As far as to a gap: one that a try left which failed halfway costs no further file.
    let free = match (1..=keep).find(is_free) {
        Some(free) => free,
        None => {
            turn.confirm()?;
            fs::remove_file(aside(keep))?;
            keep
        }
    };
    for number in (1..free).rev() {
        turn.confirm()?;
        fs::rename(aside(number), aside(number + 1))?;
    }
    turn.confirm()?;
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
