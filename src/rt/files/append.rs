use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::read::{check_is_file, refused};

/// Opens a file for reading and appending. Only its owner can read or write a new file.
///
/// A symbolic link in the file's place is refused: anybody with access to the folder could have
/// made it to redirect the data. Links in the path of the folder are followed. A pipe, a device or
/// a folder is refused, too: opening a pipe may block for ever.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    for _ in 0..TRIES {
        let before = match fs::symlink_metadata(path) {
            Ok(before) => before,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match create_new(path) {
                    // Another process has just created it, or it is a link to a missing file.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                    made => return made,
                }
            }
            Err(error) => return Err(error),
        };
        check_regular(&before)?;
        let file = match options().open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // A file that may be written but not read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                OpenOptions::new().append(true).open(path)?
            }
            opened => opened?,
        };
        if is_same(&before, &file.metadata()?) {
            return Ok(file);
        }
        // The file was replaced meanwhile, perhaps by a link.
    }
    Err(io::Error::other("it is replaced again and again"))
}

/// Creates a file that only its owner can read and write. Fails if there is one.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Whether both belong to one file.
pub(crate) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    #[cfg(unix)]
    let id = |known: &Metadata| {
        use std::os::unix::fs::MetadataExt;
        (known.dev(), known.ino())
    };
    #[cfg(not(unix))]
    let id = |known: &Metadata| (known.file_type(), known.created().ok());
    id(one) == id(other)
}

fn check_regular(known: &Metadata) -> io::Result<()> {
    match known.is_symlink() {
        true => Err(refused("it is a symbolic link")),
        false => check_is_file(known),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ALONE);
    options
}

/// `rw-------`
#[cfg(unix)]
const OWNER_ALONE: u32 = 0o600;
/// How often opening is tried again while the file is being replaced.
const TRIES: usize = 10;
