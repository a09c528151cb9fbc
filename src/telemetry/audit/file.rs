use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::record::AuditRecord;
use super::sink::AuditSink;
use crate::error::BoxError;
use crate::lines::LineFile;
use crate::rt::Clock;

/// Writes each record as a line of JSON to a file, which is put aside when it is full.
///
/// `audit.jsonl` becomes `audit.jsonl.1`, that becomes `audit.jsonl.2`, and so on; the oldest is
/// removed. On Unix, new files can be read by their owner and group alone.
#[derive(Debug)]
#[must_use = "a sink does nothing until an audit writes to it"]
pub struct JsonLinesFile {
    file: LineFile,
    max_bytes: u64,
    is_daily: bool,
    keep: usize,
    clock: Clock,
}

impl JsonLinesFile {
    /// Opens the file, or makes it; lines are added at its end. It is full at 100 MiB, and ten full
    /// ones are kept.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, READ_BY_GROUP);
        let file = LineFile::create(path.as_ref().to_owned(), options)?;
        let (max_bytes, is_daily, keep) = (MAX_BYTES, false, KEEP);
        Ok(Self { file, max_bytes, is_daily, keep, clock: Clock::system() })
    }

    /// It is full at this size; a record is never split.
    pub fn max_bytes(mut self, size: u64) -> Self {
        self.max_bytes = size;
        self
    }

    /// It is full at the end of each day too, in UTC.
    pub fn daily(mut self) -> Self {
        self.is_daily = true;
        self
    }

    /// How many full ones are kept.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }

    /// The clock whose days are meant.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        let now = self.clock.wall();
        if self.is_full(line, now)? {
            self.file.close();
            // What can't be put aside is written on: a long file is better than none.
            let _ = self.put_aside();
        }
        self.file.add(line, now).map_err(|partly| partly.error)
    }

    fn is_full(&mut self, line: &[u8], now: SystemTime) -> io::Result<bool> {
        let open = self.file.current()?;
        let is_over = open.size() > 0 && open.size() + line.len() as u64 > self.max_bytes;
        let is_of_today = open.last().is_none_or(|last| day(last) == day(now));
        Ok(is_over || (self.is_daily && !is_of_today))
    }

    fn put_aside(&self) -> io::Result<()> {
        if self.keep == 0 {
            return fs::remove_file(self.file.path());
        }
        for number in (1..self.keep).rev() {
            let from = self.aside(number);
            if from.exists() {
                fs::rename(from, self.aside(number + 1))?;
            }
        }
        fs::rename(self.file.path(), self.aside(1))
    }

    fn aside(&self, number: usize) -> PathBuf {
        let mut name = self.file.path().as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl AuditSink for JsonLinesFile {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        let mut line = record.to_json().into_bytes();
        line.push(b'\n');
        Ok(self.put(&line)?)
    }
}

fn day(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() / DAY
}

const MAX_BYTES: u64 = 100 * 1024 * 1024;
const KEEP: usize = 10;
const DAY: u64 = 24 * 3600;
/// `rw-r-----`
#[cfg(unix)]
const READ_BY_GROUP: u32 = 0o640;
