use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::outcome::BoxError;
use crate::rt::{self, Blocking, files};
use crate::terms::local_copy::SnapshotProblem;

/// The file of one copy, and how the copy is written into it.
pub(super) struct Snapshot<T> {
    file: Arc<SnapshotFile<T>>,
    /// A write that may hang: none begins beside it.
    writing: Option<Blocking<Result<(), SnapshotProblem>>>,
}

/// Work on the file, which may block.
struct SnapshotFile<T> {
    copy: &'static str,
    path: PathBuf,
    encode: Box<Encode<T>>,
    decode: Box<Decode<T>>,
}

pub(super) type Encode<T> = dyn Fn(&T) -> Result<Vec<u8>, BoxError> + Send + Sync;
pub(super) type Decode<T> = dyn Fn(&[u8]) -> Result<T, BoxError> + Send + Sync;

/// What was read: the copy, and when the load began that was the last to succeed.
pub(super) type Restored<T> = (T, SystemTime);

impl<T: Send + Sync + 'static> Snapshot<T> {
    pub(super) fn new(
        copy: &'static str,
        path: PathBuf,
        encode: Box<Encode<T>>,
        decode: Box<Decode<T>>,
    ) -> Self {
        Self { file: Arc::new(SnapshotFile { copy, path, encode, decode }), writing: None }
    }

    /// Reads the copy; `None` if there is no file yet.
    pub(super) async fn read(&self) -> Result<Option<Restored<T>>, SnapshotProblem> {
        let file = Arc::clone(&self.file);
        let read = rt::blocking(move || file.read());
        let read = rt::until(Some(rt::after(rt::now(), LIMIT)), read).await.flatten();
        read.unwrap_or(Err(SnapshotProblem::Unreadable))
    }

    /// Writes the copy.
    pub(super) async fn write(
        &mut self,
        value: Arc<T>,
        loaded: SystemTime,
    ) -> Result<(), SnapshotProblem> {
        let due = Some(rt::after(rt::now(), LIMIT));
        if let Some(before) = &mut self.writing {
            // It belongs to an older copy.
            let ended = rt::until(due, before).await;
            if ended.is_none() {
                return Err(SnapshotProblem::Unwritable);
            }
        }
        let file = Arc::clone(&self.file);
        let mut writing = rt::blocking(move || file.write(&value, loaded));
        let written = rt::until(due, &mut writing).await;
        self.writing = written.is_none().then_some(writing);
        written.flatten().unwrap_or(Err(SnapshotProblem::Unwritable))
    }
}

impl<T> SnapshotFile<T> {
    fn read(&self) -> Result<Option<Restored<T>>, SnapshotProblem> {
        let bytes = match files::read_small(&self.path, MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(SnapshotProblem::Unreadable),
        };
        let (loaded, content) = opened(self.copy, &bytes)?;
        let value = rt::callback::call("decode", || (self.decode)(content));
        let value = value.and_then(Result::ok).ok_or(SnapshotProblem::Undecodable)?;
        Ok(Some((value, loaded)))
    }

    fn write(&self, value: &T, loaded: SystemTime) -> Result<(), SnapshotProblem> {
        let content = rt::callback::call("encode", || (self.encode)(value));
        let content = content.and_then(Result::ok).ok_or(SnapshotProblem::Unencodable)?;
        let bytes = sealed(self.copy, loaded, &content);
        if bytes.len() as u64 > MOST {
            return Err(SnapshotProblem::Unwritable);
        }
        let written = files::replace(&self.path, |file| file.write_all(&bytes));
        written.map_err(|_| SnapshotProblem::Unwritable)
    }
}

/// A line that says what it is, a line with a checksum of all that follows, the copy's name, the time in
/// milliseconds since 1970, and the content.
fn sealed(copy: &str, loaded: SystemTime, content: &[u8]) -> Vec<u8> {
    let since = loaded.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut rest = format!("{copy}\n{}\n", since.as_millis()).into_bytes();
    rest.extend_from_slice(content);
    let mut bytes = format!("{FORMAT}\n{}\n", checksum(&rest)).into_bytes();
    bytes.append(&mut rest);
    bytes
}

/// The time and the content.
fn opened<'a>(copy: &str, bytes: &'a [u8]) -> Result<(SystemTime, &'a [u8]), SnapshotProblem> {
    let (format, rest) = line(bytes).ok_or(SnapshotProblem::Foreign)?;
    if format != FORMAT {
        return Err(SnapshotProblem::Foreign);
    }
    let (sum, rest) = line(rest).ok_or(SnapshotProblem::Torn)?;
    if sum != checksum(rest) {
        return Err(SnapshotProblem::Torn);
    }
    let (name, rest) = line(rest).ok_or(SnapshotProblem::Foreign)?;
    if name != copy {
        return Err(SnapshotProblem::Foreign);
    }
    let (millis, content) = line(rest).ok_or(SnapshotProblem::Foreign)?;
    let millis = millis.parse().map_err(|_| SnapshotProblem::Foreign)?;
    let loaded = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    Ok((loaded.ok_or(SnapshotProblem::Foreign)?, content))
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// The name-based UUID (RFC 9562, 5.5) of these bytes: 122 bits of their SHA-1, which is here already.
fn checksum(bytes: &[u8]) -> String {
    Uuid::new_v5(&Uuid::nil(), bytes).to_string()
}

/// The last word is the format's version.
const FORMAT: &str = "outrigger local copy 1";
/// Longer than any line before the content.
const LONGEST_LINE: usize = 1024;
/// 1 GiB: a copy stands in memory, beside this.
const MOST: u64 = 1 << 30;
/// How long a read or a write is waited for: a network's file system may hang.
const LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_with_any_byte_cut_off_or_changed_is_ignored() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
        let whole = sealed("prices", at, b"EUR\n1.25\n");
        assert_eq!(opened("prices", &whole), Ok((at, &b"EUR\n1.25\n"[..])));
        assert_eq!(opened("other", &whole), Err(SnapshotProblem::Foreign));
        for end in 0..whole.len() {
            assert!(opened("prices", &whole[..end]).is_err(), "{end}");
            let mut changed = whole.clone();
            changed[end] ^= 1;
            assert!(opened("prices", &changed).is_err(), "{end}");
        }
        let next = String::from_utf8(whole).unwrap().replace("copy 1", "copy 2");
        assert_eq!(opened("prices", next.as_bytes()), Err(SnapshotProblem::Foreign));
        assert_eq!(opened("prices", b""), Err(SnapshotProblem::Foreign));
    }
}
