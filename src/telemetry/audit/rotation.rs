use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::rotation_lock::{RotationLock, SeenLock};
use crate::rt;

/// Renames full files: `audit.jsonl.1` is the last one, `audit.jsonl.2` the one before.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    failed: Option<(Instant, io::Error)>,
    /// Another service's lock, as it was last seen.
    other: SeenLock,
}

// === impl Rotation ===

impl Rotation {
    /// Whether it is too early to try a failed rotation again.
    pub(super) fn is_backing_off(&self) -> bool {
        let since = |(at, _): &(Instant, io::Error)| rt::now().saturating_duration_since(*at);
        self.failed.as_ref().is_some_and(|failed| since(failed) < RETRY_AFTER)
    }

    /// Why the last rotation failed.
    pub(super) fn last_error(&self) -> Option<&io::Error> {
        self.failed.as_ref().map(|(_, error)| error)
    }

    /// Takes the lock without waiting; `None` while another service has it, or if that fails.
    pub(super) fn lock(&mut self, path: &Path) -> Option<RotationLock> {
        let lock = RotationLock::take(beside(path, "lock"), &mut self.other, rt::now());
        lock.unwrap_or_else(|error| {
            self.failed = Some((rt::now(), error));
            None
        })
    }

    /// Rotates the file, and keeps at most `keep` full ones.
    pub(super) fn rotate(&mut self, path: &Path, keep: usize, mut lock: RotationLock) {
        let put = rotate(path, keep, &mut lock);
        self.failed = put.err().map(|error| (rt::now(), error));
    }
}

fn rotate(path: &Path, keep: usize, lock: &mut RotationLock) -> io::Result<()> {
    if keep == 0 {
        lock.confirm()?;
        return fs::remove_file(path);
    }
    let rotated = |number: usize| beside(path, &number.to_string());
    let is_free = |number: &usize| fs::symlink_metadata(rotated(*number)).is_err();
    // Shift only up to the first free number, so that a failed rotation loses no file.
    let free = match (1..=keep).find(is_free) {
        Some(free) => free,
        None => {
            lock.confirm()?;
            fs::remove_file(rotated(keep))?;
            keep
        }
    };
    for number in (1..free).rev() {
        lock.confirm()?;
        fs::rename(rotated(number), rotated(number + 1))?;
    }
    lock.confirm()?;
    fs::rename(path, rotated(1))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// How long to wait after a failed rotation before the next try.
const RETRY_AFTER: Duration = Duration::from_secs(60);
