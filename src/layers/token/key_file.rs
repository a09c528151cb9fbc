use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::error::TokenError;
use super::issuer::{Issuer, Token, TokenReason, TokenRequest};
use super::secret::Secret;
use crate::rt::{self, Lock, files};

/// An [`Issuer`] of static keys from a file, one a line, which is read anew every ten seconds.
///
/// The first line is sent. When the provider refuses it, the next one is, once; so two lines let a
/// key be replaced while both sides change: write the new key into the second line, change it at the
/// provider, remove the first line. Empty lines and those that begin with `#` are ignored.
///
/// A file that can't be read is a [transient](super::TokenFailure::Transient) error, and the last
/// key is sent on; one without keys is a [settled](super::TokenFailure::Settled) error.
///
/// ```
/// use http::HeaderName;
/// use outrigger::token::{KeyFile, TokenLayer};
///
/// let keys = KeyFile::new("/run/secrets/mailer");
/// let layer = TokenLayer::new(keys).header(HeaderName::from_static("x-api-key"));
/// # let _ = layer;
/// ```
#[derive(Debug)]
#[must_use = "a file does nothing until a layer asks it"]
pub struct KeyFile {
    path: PathBuf,
    every: Duration,
    /// The key that was given last.
    given: Mutex<Option<Secret>>,
}

impl KeyFile {
    /// The keys in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), every: Duration::from_secs(10), given: Mutex::default() }
    }

    /// How often the file is read; every ten seconds by default.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    fn choose(&self, keys: Vec<Secret>, reason: TokenReason) -> Option<Secret> {
        let mut given = self.given.locked();
        let at = given.as_ref().and_then(|given| keys.iter().position(|key| key == given));
        let at = match (at, reason) {
            (Some(at), TokenReason::Refused) => (at + 1) % keys.len(),
            (Some(at), _) => at,
            (None, _) => 0,
        };
        *given = keys.into_iter().nth(at);
        given.clone()
    }
}

impl Issuer for KeyFile {
    async fn issue(&self, request: TokenRequest) -> Result<Token, TokenError> {
        let path = self.path.clone();
        let read = rt::blocking(move || read(&path)).await;
        let keys = read.unwrap_or_else(|| Err(TokenError::transient("the file can't be read")))?;
        let key = self.choose(keys, request.reason);
        let key =
            key.ok_or_else(|| TokenError::settled(format!("{} has no key", self.path.display())))?;
        Ok(Token::of(key).renew_after(self.every))
    }
}

fn read(path: &Path) -> Result<Vec<Secret>, TokenError> {
    let unread = |why: &dyn std::fmt::Display| {
        TokenError::transient(format!("{} can't be read: {why}", path.display()))
    };
    let bytes = files::read_small(path, MOST).map_err(|error| match error.kind() {
        // The error's text says why.
        io::ErrorKind::InvalidInput => unread(&error),
        kind => unread(&kind),
    })?;
    let text = Secret::of(bytes).ok_or_else(|| unread(&"it is no text"))?;
    let keys = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(keys.map(|key| Secret::new(key.to_owned())).collect())
}

/// Far more than a few keys.
const MOST: u64 = 64 * 1024;
