use std::fmt;
use std::sync::Arc;

use super::key::CacheKey;
#[cfg(feature = "cache")]
use super::memory::InMemoryStore;
use super::stored::CacheEntry;
use crate::settings::Errors;

/// Where a cache keeps its answers.
///
/// Whether an answer is fresh is not the store's concern: it bounds its memory, and may drop what it
/// likes at any time. Its methods are called on the calls' tasks, so they must not block. What panics has
/// found nothing.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use outrigger::cache::{CacheEntry, CacheKey, CacheLayer, CacheStore};
///
/// /// Keeps everything, for ever.
/// #[derive(Debug, Default)]
/// struct Everything(Mutex<HashMap<CacheKey, CacheEntry>>);
///
/// impl CacheStore for Everything {
///     fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
///         self.0.lock().unwrap().get(key).cloned()
///     }
///
///     fn put(&self, key: CacheKey, entry: CacheEntry) {
///         self.0.lock().unwrap().insert(key, entry);
///     }
///
///     fn remove(&self, key: &CacheKey) {
///         self.0.lock().unwrap().remove(key);
///     }
///
///     fn remove_where(&self, goes: &dyn Fn(&CacheKey) -> bool) {
///         self.0.lock().unwrap().retain(|key, _| !goes(key));
///     }
/// }
///
/// let layer = CacheLayer::with_store(Everything::default());
/// # let _ = layer;
/// ```
pub trait CacheStore: Send + Sync + fmt::Debug + 'static {
    /// What is stored under this key.
    fn get(&self, key: &CacheKey) -> Option<CacheEntry>;

    /// Stores an entry, in place of the one that is there.
    fn put(&self, key: CacheKey, entry: CacheEntry);

    /// Removes an entry.
    fn remove(&self, key: &CacheKey);

    /// Removes the entries of all keys for which `goes` says so. Each unsafe call asks for this, because it
    /// outdates its URI for all partitions.
    fn remove_where(&self, goes: &dyn Fn(&CacheKey) -> bool);

    /// How many keys are stored, and how many bytes they take, for health and metrics; zero by default.
    fn size(&self) -> (usize, u64) {
        (0, 0)
    }
}

/// Where a layer's answers are kept.
#[derive(Clone)]
pub(super) enum StoreKind {
    #[cfg(feature = "cache")]
    InMemory {
        bytes: u64,
        keys: u32,
    },
    Own(Arc<dyn CacheStore>),
}

impl StoreKind {
    #[cfg(feature = "cache")]
    pub(super) fn in_memory() -> Self {
        Self::InMemory { bytes: BYTES, keys: KEYS }
    }

    /// The store: a new one, unless it is the user's.
    pub(super) fn open(&self) -> Arc<dyn CacheStore> {
        match self {
            #[cfg(feature = "cache")]
            Self::InMemory { bytes, keys } => Arc::new(InMemoryStore::new(*bytes, *keys)),
            Self::Own(store) => Arc::clone(store),
        }
    }

    pub(super) fn check_into(&self, body_cap: usize, errors: &mut Errors<'_>) {
        match self {
            #[cfg(feature = "cache")]
            Self::InMemory { bytes, keys } => InMemoryStore::check(*bytes, *keys, body_cap, errors),
            // It bounds itself.
            Self::Own(_) => {
                let _ = (body_cap, errors);
            }
        }
    }
}

/// Small beside a service's memory, and thousands of API answers.
#[cfg(feature = "cache")]
const BYTES: u64 = 64 << 20;
/// So many that one service's hot URIs fit in, at an average of 6 KiB.
#[cfg(feature = "cache")]
const KEYS: u32 = 10_000;
