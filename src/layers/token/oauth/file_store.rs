use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::store::{StoredToken, TokenStore};
use crate::rt::{self, Clock, files};
use crate::token::TokenError;
use crate::token::secret::Secret;

/// A refresh token in a file that only its owner can read, shared by the processes of one machine.
///
/// Its first line is the version, a number, the second the refresh token; the one that a person puts
/// there may stand alone. It is replaced as a whole, by renaming. Beside it, a file that ends in
/// `.lock` is there while one of them refreshes; one that is older than a minute was left behind by a
/// process that ended, and is removed.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
}

/// The lock file, which is removed when this is dropped.
#[derive(Debug)]
pub struct FileLease(PathBuf);

impl FileStore {
    /// The refresh token in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(end);
        name.into()
    }

    /// On a thread of its own, where it goes on if the fetch is dropped.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, TokenError> {
        let store = self.clone();
        let done = rt::blocking(move || work(&store)).await;
        let done = done.unwrap_or_else(|| Err(io::Error::other("no thread could read it")));
        done.map_err(|error| {
            let why = match error.kind() {
                // These texts are ours.
                io::ErrorKind::InvalidInput | io::ErrorKind::Other => error.to_string(),
                kind => kind.to_string(),
            };
            TokenError::transient(format!("{}: {why}", self.path.display()))
        })
    }

    fn read(&self) -> io::Result<StoredToken> {
        let text = Secret::of(files::read_small(&self.path, MOST)?);
        let text = text.ok_or_else(|| io::Error::other("it is no text"))?;
        let mut lines = text.as_str().lines().map(str::trim);
        match (lines.next(), lines.next()) {
            (Some(version), Some(token)) if !token.is_empty() => match version.parse() {
                Ok(version) => Ok(StoredToken::new(token, version)),
                Err(_) => Err(io::Error::other("its first line is no number")),
            },
            (Some(token), _) if !token.is_empty() => Ok(StoredToken::new(token, 0)),
            _ => Err(io::Error::other("it has no refresh token")),
        }
    }

    fn write(&self, version: u64, next: &Secret) -> io::Result<bool> {
        if self.read()?.version != version {
            return Ok(false);
        }
        let new = self.beside(".new");
        // One that a process left behind is not one of ours.
        let _ = fs::remove_file(&new);
        let mut file = files::create_new(&new)?;
        write!(file, "{}\n{}\n", version + 1, next.as_str())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        Ok(true)
    }

    /// The lease; `None` if somebody else has it.
    fn try_lease(&self) -> io::Result<Option<FileLease>> {
        let path = self.beside(".lock");
        match files::create_new(&path) {
            Ok(_) => return Ok(Some(FileLease(path))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if is_left_behind(&path) {
            let _ = fs::remove_file(&path);
        }
        Ok(None)
    }
}

impl TokenStore for FileStore {
    type Lease = FileLease;

    async fn lease(&self) -> Result<FileLease, TokenError> {
        loop {
            if let Some(lease) = self.blocking(Self::try_lease).await? {
                return Ok(lease);
            }
            rt::sleep_until(rt::after(rt::now(), TRY_AGAIN)).await;
        }
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        self.blocking(Self::read).await
    }

    async fn compare_and_swap(&self, version: u64, next: String) -> Result<bool, TokenError> {
        let next = Secret::new(next);
        self.blocking(move |store| store.write(version, &next)).await
    }
}

impl Drop for FileLease {
    fn drop(&mut self) {
        // A few microseconds: no more than the file system's own entry is changed.
        let _ = fs::remove_file(&self.0);
    }
}

fn is_left_behind(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|known| known.modified());
    modified.is_ok_and(|at| {
        Clock::system().wall().duration_since(at).is_ok_and(|age| age > LONGEST_LEASE)
    })
}

/// Far more than a refresh token.
const MOST: u64 = 64 * 1024;
/// How often it is looked whether the lease is free.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// Longer than a fetch may take.
const LONGEST_LEASE: Duration = Duration::from_secs(60);
