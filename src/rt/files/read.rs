use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Reads a small file. It may be a symbolic link, by which some systems replace a file at once.
pub(crate) fn read_small(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A pipe or a device must not even be opened.
    check_is_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    check_is_file(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(refused(&format!("it has more than {most} bytes"))),
        false => Ok(bytes),
    }
}

pub(super) fn check_is_file(known: &Metadata) -> io::Result<()> {
    match known.is_file() {
        true => Ok(()),
        false => Err(refused("it is no regular file")),
    }
}

pub(super) fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
