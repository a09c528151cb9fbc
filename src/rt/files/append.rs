use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::read::{check_is_file, refused};

/// Opens a file to read it and to add to its end; a new one is for its owner alone.
///
/// A symbolic link in the file's place is refused: whoever may write to the folder could have put it
/// there, and what it leads to is not meant. Links on the way to the folder are followed. A pipe, a device
/// or a folder is refused, too: opening a pipe may wait for ever.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    for _ in 0..TRIES {
        let before = match fs::symlink_metadata(path) {
            Ok(before) => before,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match create_new(path) {
                    // Somebody else was faster. A link that leads nowhere comes here, too.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                    made => return made,
                }
            }
            Err(error) => return Err(error),
        };
        check_regular(&before)?;
        let file = match options().open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            // What may be written and not be read.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                OpenOptions::new().append(true).open(path)?
            }
            opened => opened?,
        };
        if is_same(&before, &file.metadata()?) {
            return Ok(file);
        }
        // It was replaced in between, perhaps by a link.
    }
    Err(io::Error::other("it is replaced again and again"))
}

/// Makes a file for its owner alone, where there is none yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Whether both are of one file.
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
/// How often a file that is being replaced is looked at anew.
const TRIES: usize = 10;
