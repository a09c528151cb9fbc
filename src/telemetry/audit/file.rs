use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::record::AuditRecord;
use super::rotation::Rotation;
use super::sink::AuditSink;
use crate::outcome::BoxError;
use crate::rt::Clock;
use crate::rt::append_file::AppendFile;

/// Writes each record as a line of JSON to a file, which is rotated when it is full.
///
/// `audit.jsonl` becomes `audit.jsonl.1`, that becomes `audit.jsonl.2`, and so on; the oldest is
/// removed. If the rotation fails, records are appended to the full file, the error is reported as
/// [trouble](super::Audit::trouble), and the rotation is tried again every minute. On Unix, only
/// their owner can read new files. Only a regular file is accepted: no symbolic link, pipe, device
/// or folder.
///
/// If another program moves or removes the file, a new one is made. A line that was torn, by a full
/// disk or by the end of a process, stays, and the next record begins on a new line: skip lines
/// that aren't JSON. Services that write to one file rotate it one at a time, under a lock,
/// `audit.jsonl.lock`. A service that dies during a rotation delays the others for two seconds.
#[derive(Debug)]
#[must_use = "a sink does nothing until an audit writes to it"]
pub struct JsonLinesFile {
    path: PathBuf,
    file: AppendFile,
    size: u64,
    /// The day of the last line.
    day: Option<u64>,
    max_bytes: u64,
    is_daily: bool,
    keep: usize,
    clock: Clock,
    rotation: Rotation,
}

impl JsonLinesFile {
    /// Opens or creates the file, to append to it. By default, it is full at 100 MiB, and ten full
    /// files are kept.
    ///
    /// # Errors
    ///
    /// When it can't be opened, or is no regular file.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let (path, clock) = (path.as_ref().to_owned(), Clock::system());
        let file = AppendFile::create(path.clone())?;
        let (max_bytes, is_daily, keep) = (MAX_BYTES, false, KEEP);
        let (size, day, rotation) = (0, None, Rotation::default());
        Ok(Self { path, file, size, day, max_bytes, is_daily, keep, clock, rotation })
    }

    /// The size at which a file is full. A record is never split.
    pub fn max_bytes(mut self, size: u64) -> Self {
        self.max_bytes = size;
        self
    }

    /// Also rotates at the end of each day, in UTC.
    pub fn daily(mut self) -> Self {
        self.is_daily = true;
        self
    }

    /// How many full files are kept. Lowering the number removes no files of a higher one.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }

    /// The clock for [`daily`](Self::daily).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        let now = self.clock.wall();
        self.refresh()?;
        if self.is_full(line, now) && !self.rotation.is_backing_off() {
            self.rotate(line, now)?;
        }
        self.file.add(line).map_err(|partly| partly.error)?;
        self.size += line.len() as u64;
        if self.rotation.last_error().is_none() {
            self.day = Some(day(now));
        }
        Ok(())
    }

    fn rotate(&mut self, line: &[u8], now: SystemTime) -> io::Result<()> {
        let Some(lock) = self.rotation.lock(&self.path) else { return Ok(()) };
        // Another service may have rotated it meanwhile.
        self.refresh()?;
        if self.is_full(line, now) {
            self.file.close();
            self.rotation.rotate(&self.path, self.keep, lock);
            self.refresh()?;
        }
        Ok(())
    }

    /// Reads the size and day of the file, if it was opened again.
    fn refresh(&mut self) -> io::Result<()> {
        if let Some(known) = self.file.find()? {
            self.size = known.len();
            let last = known.modified().ok().filter(|_| known.len() > 0);
            self.day = last.map(day);
        }
        Ok(())
    }

    fn is_full(&self, line: &[u8], now: SystemTime) -> bool {
        let is_over = self.size > 0 && self.size + line.len() as u64 > self.max_bytes;
        is_over || (self.is_daily && self.day.is_some_and(|last| last != day(now)))
    }
}

impl AuditSink for JsonLinesFile {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        let mut line = record.to_json().into_bytes();
        line.push(b'\n');
        Ok(self.put(&line)?)
    }

    fn flush(&mut self) -> Result<(), BoxError> {
        match self.rotation.last_error() {
            None => Ok(()),
            Some(error) => Err(format!("a full file can't be put aside: {error}").into()),
        }
    }
}

fn day(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() / DAY
}

const MAX_BYTES: u64 = 100 * 1024 * 1024;
const KEEP: usize = 10;
const DAY: u64 = 24 * 3600;
