use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::files;

/// A file to which whole lines are appended, even if a write fails halfway.
///
/// A line that was torn, by a full disk or by the end of a process, damages no other line: the next
/// one begins on a new line. No line is written twice.
#[derive(Debug)]
pub(crate) struct AppendFile {
    path: PathBuf,
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// The metadata when it was opened.
    known: Metadata,
    /// The size by this process's writes.
    size: u64,
    /// It ends with an incomplete line.
    is_torn: bool,
}

/// A write that failed.
#[derive(Debug)]
pub(crate) struct PartialWrite {
    /// How many lines were written completely.
    pub(crate) whole: usize,
    pub(crate) error: io::Error,
}

// === impl AppendFile ===

impl AppendFile {
    /// Opens or creates the file, to check that this is possible.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let mut file = Self { path, open: None };
        file.find()?;
        file.close();
        Ok(file)
    }

    /// Opens the file of this name, unless it is open already, because lines to a removed file
    /// would be lost. Returns the metadata if it was opened.
    pub(crate) fn find(&mut self) -> io::Result<Option<Metadata>> {
        let (open, known) = self.take()?;
        self.open = Some(open);
        Ok(known)
    }

    /// Closes the file until it is needed again.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// Appends lines, each of which ends with a line feed.
    pub(crate) fn add(&mut self, lines: &[u8]) -> Result<(), PartialWrite> {
        let taken = self.take().map_err(|error| PartialWrite { whole: 0, error });
        let (mut open, _) = taken?;
        let added = put(&mut open.file, lines, &mut open.is_torn);
        // After a failed write, the file is opened again to learn its size.
        open.size += added?;
        self.open = Some(open);
        Ok(())
    }

    fn take(&mut self) -> io::Result<(OpenFile, Option<Metadata>)> {
        if let Some(open) = self.open.take().filter(|open| open.is_at(&self.path)) {
            return Ok((open, None));
        }
        let mut file = files::open_to_append(&self.path)?;
        let known = file.metadata()?;
        let is_torn = known.len() > 0 && is_torn(&mut file);
        Ok((OpenFile { file, size: known.len(), is_torn, known: known.clone() }, Some(known)))
    }
}

// === impl OpenFile ===

impl OpenFile {
    /// Whether it is still the file of this name, and only this process has written to it. A
    /// symbolic link to it doesn't count.
    fn is_at(&self, path: &Path) -> bool {
        let is_same = |now: Metadata| files::is_same(&now, &self.known) && now.len() == self.size;
        fs::symlink_metadata(path).is_ok_and(is_same)
    }
}

/// Whether the last line is incomplete. Assumes so if the file can't be read.
fn is_torn(file: &mut File) -> bool {
    let mut last = || {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        io::Result::Ok(last)
    };
    last().map_or(true, |last| last != *b"\n")
}

/// Writes lines, after a line feed if the last line was torn. Returns the number of bytes.
fn put(file: &mut impl Write, lines: &[u8], is_torn: &mut bool) -> Result<u64, PartialWrite> {
    let mut size = lines.len() as u64;
    if *is_torn {
        file.write_all(b"\n").map_err(|error| PartialWrite { whole: 0, error })?;
        *is_torn = false;
        size += 1;
    }
    let mut at = 0;
    while at < lines.len() {
        let error = match file.write(&lines[at..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                at += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        *is_torn = lines[..at].last().is_some_and(|last| *last != b'\n');
        // A line that lacks only its line feed is complete: the next write adds that first.
        let ended = &lines[..at + usize::from(*is_torn && lines[at] == b'\n')];
        return Err(PartialWrite {
            whole: ended.iter().filter(|byte| **byte == b'\n').count(),
            error,
        });
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with limited space.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let space = self.1 - self.0.len();
            // At most three bytes a write.
            let taken = bytes.len().min(space).min(3);
            self.0.extend_from_slice(&bytes[..taken]);
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn wherever_a_disk_is_full_no_line_is_lost_and_none_is_doubled() {
        let lines = ["one\n", "two\n", "three\n"];
        let all = lines.concat();
        for space in 0..=all.len() {
            let (mut disk, mut is_torn) = (Disk(Vec::new(), space), false);
            let whole = match put(&mut disk, all.as_bytes(), &mut is_torn) {
                Ok(_) => lines.len(),
                Err(partial) => partial.whole,
            };
            disk.1 = usize::MAX;
            let rest = lines[whole..].concat();
            assert!(put(&mut disk, rest.as_bytes(), &mut is_torn).is_ok());
            let text = String::from_utf8(disk.0).unwrap();
            let written: Vec<_> = text.lines().map(|line| format!("{line}\n")).collect();
            let whole: Vec<_> = written.iter().filter(|line| lines.contains(&&***line)).collect();
            assert_eq!(whole, lines.iter().collect::<Vec<_>>(), "{space}: {text:?}");
            assert!(written.len() <= lines.len() + 1, "{space}: {text:?}");
        }
    }
}
