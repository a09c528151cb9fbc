use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::rt::{Rng, files};

/// The lock for rotating files. One service has it at a time: two at once would overwrite each
/// other's files.
///
/// It is a file whose content changes with each step. If its content stays the same, the service
/// that made it has died. This compares no clocks and looks for no process, because the services
/// may run on several machines.
#[derive(Debug)]
pub(super) struct RotationLock {
    path: PathBuf,
    lock: File,
    owner: String,
    steps: u32,
}

/// The content of another service's lock, and when it was first seen.
#[derive(Debug, Default)]
pub(super) struct SeenLock(Option<(Vec<u8>, Instant)>);

// === impl RotationLock ===

impl RotationLock {
    /// Takes the lock; `None` while another service has it.
    pub(super) fn take(
        path: PathBuf,
        other: &mut SeenLock,
        now: Instant,
    ) -> io::Result<Option<Self>> {
        for _ in 0..2 {
            match files::create_new(&path) {
                Ok(lock) => {
                    other.0 = None;
                    return Ok(Some(Self::begin(path, lock)));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            match files::read_small(&path, MAX_CONTENT) {
                Ok(content) => match other.is_dead(content, now) {
                    true => fs::remove_file(&path)?,
                    false => return Ok(None),
                },
                // The other service has released it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn begin(path: PathBuf, lock: File) -> Self {
        let owner = format!("{:032x}", u128::from_ne_bytes(Rng::system().id_bytes()));
        let mut lock = Self { path, lock, owner, steps: 0 };
        if lock.write().is_err() {
            // The disk is full, and a rotation may free space: go on with a lock without an owner.
            lock.owner.clear();
        }
        lock
    }

    /// Checks that this service still has the lock, and shows the others that it is at work.
    pub(super) fn confirm(&mut self) -> io::Result<()> {
        if !self.is_own() {
            return Err(io::Error::other("another service puts it aside"));
        }
        self.steps += 1;
        if self.owner.is_empty() { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.lock.set_len(0)?;
        writeln!(self.lock, "{} {}", self.owner, self.steps)
    }

    fn is_own(&self) -> bool {
        let content = files::read_small(&self.path, MAX_CONTENT);
        content.is_ok_and(|content| content.starts_with(self.owner.as_bytes()))
    }
}

impl Drop for RotationLock {
    fn drop(&mut self) {
        if self.is_own() {
            // If this fails, other services will take the lock for a dead one's.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl SeenLock {
    /// Whether the other service has done nothing for [`DEAD_AFTER`].
    fn is_dead(&mut self, content: Vec<u8>, now: Instant) -> bool {
        match &self.0 {
            Some((known, since)) if *known == content => {
                now.saturating_duration_since(*since) >= DEAD_AFTER
            }
            _ => {
                self.0 = Some((content, now));
                false
            }
        }
    }
}

/// A step renames one file, which takes microseconds, or milliseconds on a network file system.
const DEAD_AFTER: Duration = Duration::from_secs(2);
/// An owner and a number need less than half of this.
const MAX_CONTENT: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt;

    #[test]
    fn one_whose_lock_another_service_took_over_does_nothing_more_and_leaves_it() {
        let path = std::env::temp_dir().join(format!("outrigger-lock-{}", std::process::id()));
        let mut seen = SeenLock::default();
        let taken = RotationLock::take(path.clone(), &mut seen, rt::now());
        let mut lock = taken.expect("a folder").expect("nobody has it");
        assert!(lock.confirm().is_ok());
        let other = RotationLock::take(path.clone(), &mut seen, rt::now());
        assert!(other.expect("a folder").is_none());
        fs::write(&path, "another service 1\n").expect("a file");
        assert!(lock.confirm().is_err());
        drop(lock);
        assert_eq!(fs::read(&path).expect("it is still there"), b"another service 1\n");
        fs::remove_file(path).expect("it is there");
    }
}
