//! The stores that a builder opens. Their settling functions see requests and answers opened.

#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::sync::Arc;

use super::error::OutboxError;
#[cfg(feature = "sqlite")]
use super::hooks::Hooks;
use super::memory::MemoryStore;
#[cfg(feature = "postgres")]
use super::postgres::PostgresStore;
use super::sealing::Seal;
#[cfg(feature = "sqlite")]
use super::sealing::for_hook;
#[cfg(feature = "sqlite")]
use super::sqlite::{SqliteHook, SqliteStore};
use super::store::Store;
use crate::rt::Clock;

/// A store that is opened when the outbox is built.
pub trait OpenStore: sealed::Sealed {
    /// Opens it.
    #[doc(hidden)]
    fn open(self, clock: Clock, seal: Option<Arc<dyn Seal>>)
    -> Result<Arc<dyn Store>, OutboxError>;
}

/// A store of your own.
#[derive(Clone)]
pub struct OwnStore(pub(super) Arc<dyn Store>);

/// A file that is opened when the outbox is built.
#[cfg(feature = "sqlite")]
#[derive(Clone)]
pub struct SqliteFile {
    pub(super) path: PathBuf,
    pub(super) hooks: Hooks<SqliteHook>,
}

impl OpenStore for MemoryStore {
    fn open(
        self,
        clock: Clock,
        seal: Option<Arc<dyn Seal>>,
    ) -> Result<Arc<dyn Store>, OutboxError> {
        Ok(Arc::new(self.clock(clock).opening(seal)))
    }
}

impl OpenStore for OwnStore {
    fn open(self, _: Clock, _: Option<Arc<dyn Seal>>) -> Result<Arc<dyn Store>, OutboxError> {
        Ok(self.0)
    }
}

#[cfg(feature = "postgres")]
impl OpenStore for PostgresStore {
    fn open(self, _: Clock, seal: Option<Arc<dyn Seal>>) -> Result<Arc<dyn Store>, OutboxError> {
        Ok(Arc::new(self.opening(seal)))
    }
}

#[cfg(feature = "sqlite")]
impl OpenStore for SqliteFile {
    fn open(
        self,
        clock: Clock,
        seal: Option<Arc<dyn Seal>>,
    ) -> Result<Arc<dyn Store>, OutboxError> {
        let hooks = match seal {
            Some(seal) => self.hooks.map(|hook| opening(hook, &seal)),
            None => self.hooks,
        };
        Ok(Arc::new(SqliteStore::open_hooked(&self.path, clock, hooks)?))
    }
}

impl std::fmt::Debug for OwnStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnStore")
    }
}

#[cfg(feature = "sqlite")]
impl std::fmt::Debug for SqliteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteFile").field("path", &self.path).finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::MemoryStore {}
    impl Sealed for super::OwnStore {}
    #[cfg(feature = "postgres")]
    impl Sealed for super::PostgresStore {}
    #[cfg(feature = "sqlite")]
    impl Sealed for super::SqliteFile {}
}

/// The function, of what is sealed.
#[cfg(feature = "sqlite")]
fn opening(hook: Arc<SqliteHook>, seal: &Arc<dyn Seal>) -> Arc<SqliteHook> {
    let seal = Arc::clone(seal);
    Arc::new(move |tx, message, answer| {
        let (message, answer) = for_hook(&*seal, message, answer)?;
        hook(tx, &message, &answer)
    })
}
