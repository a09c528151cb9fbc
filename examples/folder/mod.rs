//! A folder of an example's own, gone when the example is over.

use std::path::PathBuf;
use std::{fs, io, process};

/// A fresh folder; removed when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn fresh(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("outrigger-{name}-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Writes the file whole: to another name first, so that nobody reads a half.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let (half, whole) = (self.0.join(format!("{name}.half")), self.0.join(name));
        fs::write(&half, text)?;
        fs::rename(half, &whole)?;
        Ok(whole)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
