use std::fmt;
use std::sync::{Arc, Mutex};

use super::key::CacheKey;
use super::stored::CacheEntry;
use crate::rt::Lock;

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
///     fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {
///         self.0.lock().unwrap().retain(|key, entry| !goes(key, entry));
///     }
/// }
///
/// let layer = CacheLayer::with_store(Everything::default());
/// # let _ = layer;
/// ```
pub trait CacheStore: Send + Sync + fmt::Debug + 'static {
    /// What is stored under this key. It may be asked twice for one call.
    fn get(&self, key: &CacheKey) -> Option<CacheEntry>;

    /// Stores an entry, in place of the one that is there.
    fn put(&self, key: CacheKey, entry: CacheEntry);

    /// Removes an entry.
    fn remove(&self, key: &CacheKey);

    /// Removes the entries for which `goes` says so.
    fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool);

    /// Removes the entries of a [URI](CacheKey::uri), of all partitions, and returns them. Each unsafe call
    /// asks for this. By default all entries are looked at; the store in memory has an index.
    fn remove_uri(&self, uri: &str) -> Vec<CacheEntry> {
        let removed = Mutex::new(Vec::new());
        self.remove_where(&|key, entry| {
            let goes = key.uri() == uri;
            if goes {
                removed.locked().push(entry.clone());
            }
            goes
        });
        std::mem::take(&mut *removed.locked())
    }

    /// Removes the entries of a [group](CacheEntry::is_in_group) of an [origin](CacheKey::origin), of all
    /// partitions (RFC 9875). By default all entries are looked at; the store in memory has an index.
    fn remove_group(&self, origin: &str, group: &str) {
        self.remove_where(&|key, entry| key.origin() == origin && entry.is_in_group(group));
    }

    /// How many keys are stored, and how many bytes they take, for health and metrics; zero by default.
    fn size(&self) -> (usize, u64) {
        (0, 0)
    }
}

/// Where a layer's answers are kept.
#[derive(Clone, Debug)]
pub(super) enum StoreKind {
    #[cfg(feature = "cache")]
    InMemory,
    Own(Arc<dyn CacheStore>),
}

/// The most that the store in memory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) keys: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: BYTES, keys: KEYS }
    }
}

/// Small beside a service's memory, and thousands of API answers.
const BYTES: u64 = 64 << 20;
/// So many that one service's hot URIs fit in, at an average of 6 KiB.
const KEYS: u32 = 10_000;
