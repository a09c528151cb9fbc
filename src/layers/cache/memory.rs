use std::fmt;
use std::hash::RandomState;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use super::key::CacheKey;
use super::store::CacheStore;
use super::stored::CacheEntry;
use crate::settings::Errors;

/// A bounded store in memory. Of what isn't used, it drops the least useful (S3-FIFO, of quick_cache).
pub struct InMemoryStore {
    cache: Cache<CacheKey, CacheEntry, Weight, RandomState>,
}

/// An entry's bytes, and at least its share of the bytes if there are as many keys as may be: so one bound
/// keeps both.
#[derive(Clone, Copy, Debug)]
struct Weight {
    least: u64,
}

impl InMemoryStore {
    /// A store of at most so many bytes and keys.
    #[must_use]
    pub fn new(bytes: u64, keys: u32) -> Self {
        let (keys, capacity) = (keys.max(1), bytes.max(1));
        let weight = Weight { least: (capacity / u64::from(keys)).max(1) };
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(keys as usize)
            .weight_capacity(capacity)
            .build()
            .expect("all options are set");
        let lifecycle = DefaultLifecycle::default();
        Self { cache: Cache::with_options(options, weight, RandomState::new(), lifecycle) }
    }

    pub(super) fn check(bytes: u64, keys: u32, body_cap: usize, errors: &mut Errors<'_>) {
        let least = (body_cap as u64).saturating_mul(SHARDS as u64);
        if bytes < least {
            errors.add(
                "max_bytes",
                format_args!("with {bytes} bytes an answer of `body_cap` may find no room: set {least} at least, or lower the cap"),
            );
        }
        if keys == 0 {
            errors.add("max_keys", "with 0 no answer is stored: raise it, or use `without_cache`");
        }
    }
}

impl CacheStore for InMemoryStore {
    fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
        self.cache.get(key)
    }

    fn put(&self, key: CacheKey, entry: CacheEntry) {
        self.cache.insert(key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        self.cache.remove(key);
    }

    fn remove_where(&self, goes: &dyn Fn(&CacheKey) -> bool) {
        self.cache.retain(|key, _| !goes(key));
    }

    fn size(&self) -> (usize, u64) {
        (self.cache.len(), self.cache.weight())
    }
}

impl Weighter<CacheKey, CacheEntry> for Weight {
    fn weight(&self, key: &CacheKey, entry: &CacheEntry) -> u64 {
        ((key.len() + entry.bytes()) as u64).max(self.least)
    }
}

impl fmt::Debug for InMemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryStore").field("keys", &self.cache.len()).finish_non_exhaustive()
    }
}

/// Few, because each holds its part of the bytes, and an entry must fit into one.
const SHARDS: usize = 4;
