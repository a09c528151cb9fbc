use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use fs4::{FileExt, TryLockError};

use super::store::{StoredToken, TokenStore};
use crate::rt::{self, files};
use crate::token::TokenError;
use crate::token::secret::Secret;

/// A refresh token in a file that only its owner can read, shared by the processes of one machine.
///
/// Its first line is the version, a number, the second the refresh token; the one that a person puts
/// there may stand alone. It is replaced as a whole, by renaming. Beside it stands an empty file that
/// ends in `.lock`, which the operating system locks for the one that refreshes, until it has done so
/// or its process ends. Don't remove that file while processes run.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
}

/// The locked file; the lock ends when this is dropped. The file stays: a lock on a removed file is no
/// lock for whoever makes another one.
#[derive(Debug)]
pub struct FileLease {
    _locked: File,
}

impl FileStore {
    /// The refresh token in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
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
        let mut lines = text.lines();
        match (lines.next(), lines.next()) {
            (Some(version), Some(token)) if !token.is_empty() => match version.parse() {
                Ok(version) => Ok(StoredToken::new(token, version)),
                Err(_) => Err(io::Error::other("its first line is no number")),
            },
            (Some(token), _) if !token.is_empty() => Ok(StoredToken::new(token, 0)),
            _ => Err(io::Error::other("it has no refresh token")),
        }
    }

    fn write(&self, present: &StoredToken, next: &StoredToken) -> io::Result<bool> {
        if self.read()? != *present {
            return Ok(false);
        }
        let StoredToken { secret, version } = next;
        files::replace(&self.path, |file| write!(file, "{version}\n{}\n", secret.as_str()))?;
        Ok(true)
    }

    /// The lease; `None` if somebody else has it.
    fn try_lease(&self) -> io::Result<Option<FileLease>> {
        let file = files::open_to_append(&files::beside(&self.path, ".lock"))?;
        // `File::try_lock` needs Rust 1.89.
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Some(FileLease { _locked: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
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

    async fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> Result<bool, TokenError> {
        let (present, next) = (present.clone(), present.followed_by(next));
        self.blocking(move |store| store.write(&present, &next)).await
    }
}

/// Far more than a refresh token.
const MOST: u64 = 64 * 1024;
/// How often it is looked whether the lease is free.
const TRY_AGAIN: Duration = Duration::from_millis(50);
