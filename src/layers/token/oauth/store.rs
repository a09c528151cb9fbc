use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};

use crate::rt::Lock;
use crate::token::TokenError;
use crate::token::secret::Secret;

/// Where a refresh token is kept, which changes with each use (RFC 9700, 4.14).
///
/// The new one is stored before its access token is used: a process that ends in between would be
/// logged out. If that fails, it is kept in memory, and storing it is tried again before the next
/// refresh.
///
/// Several processes may share one: the [lease](Self::lease) lets one of them refresh at a time, and
/// [`compare_and_swap`](Self::compare_and_swap) guards what it writes. A lease must end with its process:
/// a lock of a file's, or of a database's connection, as that of `PostgresTokenStore` in
/// `outrigger::outbox::postgres` (feature `postgres`).
pub trait TokenStore: Send + Sync + 'static {
    /// Held by the one who refreshes; given back when it is dropped.
    type Lease: Send;

    /// Waits until nobody else refreshes.
    fn lease(&self) -> impl Future<Output = Result<Self::Lease, TokenError>> + Send;

    /// The present refresh token.
    fn load(&self) -> impl Future<Output = Result<StoredToken, TokenError>> + Send;

    /// Stores `next` with the next version, if what is stored is still equal to `present`: both its version and
    /// its refresh token, since two logins, or a person and a process, may have written the same version.
    /// Returns whether it was.
    fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> impl Future<Output = Result<bool, TokenError>> + Send;
}

/// A refresh token as it is stored. `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredToken {
    pub(super) secret: Secret,
    pub(super) version: u64,
}

/// A refresh token in this process's memory, for logins that a restart may end. Clones are the same.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    stored: Arc<Mutex<StoredToken>>,
    lease: Arc<tokio::sync::Mutex<()>>,
}

impl StoredToken {
    /// A refresh token; its version changes whenever another one is stored.
    pub fn new(refresh_token: impl Into<String>, version: u64) -> Self {
        Self { secret: Secret::new(refresh_token.into()), version }
    }

    /// The refresh token, for a store of your own: show it to nobody.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        self.secret.as_str()
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What takes its place.
    pub(super) fn followed_by(&self, next: String) -> Self {
        Self::new(next, self.version.wrapping_add(1))
    }
}

impl MemoryStore {
    /// Begins with this refresh token.
    pub fn new(refresh_token: impl Into<String>) -> Self {
        let stored = Arc::new(Mutex::new(StoredToken::new(refresh_token, 1)));
        Self { stored, lease: Arc::default() }
    }

    /// Replaces the refresh token: somebody has logged in again.
    pub fn replace(&self, refresh_token: impl Into<String>) {
        let mut stored = self.stored.locked();
        *stored = stored.followed_by(refresh_token.into());
    }
}

impl TokenStore for MemoryStore {
    type Lease = tokio::sync::OwnedMutexGuard<()>;

    async fn lease(&self) -> Result<Self::Lease, TokenError> {
        Ok(Arc::clone(&self.lease).lock_owned().await)
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        Ok(self.stored.locked().clone())
    }

    async fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> Result<bool, TokenError> {
        let mut stored = self.stored.locked();
        let is_same = *stored == *present;
        if is_same {
            *stored = present.followed_by(next);
        }
        Ok(is_same)
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken").field("version", &self.version).finish_non_exhaustive()
    }
}
