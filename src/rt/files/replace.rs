use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::append::create_new;

/// Replaces a file as a whole: writes another one beside it, which only its owner can read, and renames
/// that. Whoever reads the file sees the old content or the new one.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let new = beside(path, ".new");
    // One that a process left behind is not one of ours.
    let _ = fs::remove_file(&new);
    let mut file = create_new(&new)?;
    write(&mut file)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

/// The new name is in the folder, which a power cut may take back unless that is written too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder can't be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A file in the same folder whose name has this end.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
