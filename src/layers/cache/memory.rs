use std::fmt;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use quick_cache::sync::Cache;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use super::index::Index;
use super::key::CacheKey;
use super::store::{Bounds, CacheStore};
use super::stored::CacheEntry;
use crate::rt::Lock;
use crate::settings::Errors;

/// A bounded store in memory. Of what isn't used, it drops the least useful (S3-FIFO, of quick_cache).
pub struct InMemoryStore {
    /// Replaced when its bounds change.
    cache: RwLock<Entries>,
    /// Whoever changes entries holds it, so that it names exactly those that there are.
    index: Mutex<Index>,
}

type Entries = Cache<CacheKey, CacheEntry, Weight, RandomState, Evictions>;

/// An entry's bytes, and at least its share of the bytes if there are as many keys as may be: so one bound
/// keeps both.
#[derive(Clone, Copy, Debug)]
struct Weight {
    least: u64,
}

/// Collects what a store had no room for.
#[derive(Clone, Copy, Debug)]
struct Evictions;

impl InMemoryStore {
    /// A store of at most so many bytes and keys.
    #[must_use]
    pub fn new(bytes: u64, keys: u32) -> Self {
        let cache = RwLock::new(entries(Bounds { bytes, keys }));
        Self { cache, index: Mutex::default() }
    }

    /// Changes the bounds. What still fits stays.
    pub(super) fn resize(&self, bounds: Bounds) {
        let mut index = self.index();
        let new = entries(bounds);
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        for (key, entry) in cache.iter() {
            new.insert_with_lifecycle(key, entry, &mut gone);
        }
        *cache = new;
        gone.iter().for_each(|(key, entry)| index.remove(key, entry));
    }

    pub(super) fn check(bounds: Bounds, body_cap: usize, errors: &mut Errors<'_>) {
        let Bounds { bytes, keys } = bounds;
        let part = (body_cap as u64).saturating_mul(2).saturating_add(HEAD);
        let least = part.saturating_mul(SHARDS as u64);
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

    fn cache(&self) -> RwLockReadGuard<'_, Entries> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.locked()
    }

    fn remove_from(&self, index: &mut Index, key: &CacheKey) -> Option<CacheEntry> {
        let (key, entry) = self.cache().remove(key)?;
        index.remove(&key, &entry);
        Some(entry)
    }
}

impl CacheStore for InMemoryStore {
    fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
        self.cache().get(key)
    }

    fn put(&self, key: CacheKey, entry: CacheEntry) {
        let mut index = self.index();
        let cache = self.cache();
        // All would be dropped of an entry that no part has room for.
        let room = cache.capacity() / SHARDS as u64 / 10 * 9;
        let entry = entry.fitted(|entry| Weight { least: 0 }.weight(&key, entry) <= room);
        if let Some(former) = cache.peek(&key) {
            index.remove(&key, &former);
        }
        index.add(&key, &entry);
        let mut gone = Vec::new();
        cache.insert_with_lifecycle(key, entry, &mut gone);
        // A former entry under this key may be among them, and isn't in the index any more.
        let gone = gone.iter().filter(|(key, _)| cache.peek(key).is_none());
        gone.for_each(|(key, entry)| index.remove(key, entry));
    }

    fn remove(&self, key: &CacheKey) {
        self.remove_from(&mut self.index(), key);
    }

    fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {
        let mut index = self.index();
        let gone: Vec<_> = self.cache().iter().filter(|(key, entry)| goes(key, entry)).collect();
        for (key, _) in gone {
            self.remove_from(&mut index, &key);
        }
    }

    fn remove_uri(&self, uri: &str) -> Vec<CacheEntry> {
        let mut index = self.index();
        let keys = index.of_uri(uri);
        keys.iter().filter_map(|key| self.remove_from(&mut index, key)).collect()
    }

    fn remove_group(&self, origin: &str, group: &str) {
        let mut index = self.index();
        for key in index.of_group(origin, group) {
            self.remove_from(&mut index, &key);
        }
    }

    fn size(&self) -> (usize, u64) {
        let cache = self.cache();
        (cache.len(), cache.weight())
    }
}

impl Weighter<CacheKey, CacheEntry> for Weight {
    fn weight(&self, key: &CacheKey, entry: &CacheEntry) -> u64 {
        // The key stands in the store, and in the index as its URI's name and under it.
        let of_uri = 3 * key.len() + INDEX_PLACE;
        let of_group = |group: &str| key.origin().len() + group.len() + key.len() + INDEX_PLACE;
        let of_groups = entry.groups().map(of_group).sum::<usize>();
        ((of_uri + of_groups + entry.bytes()) as u64).max(self.least)
    }
}

impl Lifecycle<CacheKey, CacheEntry> for Evictions {
    type RequestState = Vec<(CacheKey, CacheEntry)>;

    fn on_evict(&self, gone: &mut Self::RequestState, key: CacheKey, entry: CacheEntry) {
        gone.push((key, entry));
    }
}

fn entries(Bounds { bytes, keys }: Bounds) -> Entries {
    let (keys, capacity) = (keys.max(1), bytes.max(1));
    let weight = Weight { least: (capacity / u64::from(keys)).max(1) };
    let options = OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(keys as usize)
        .weight_capacity(capacity)
        .build()
        .expect("all options are set");
    Cache::with_options(options, weight, RandomState::new(), Evictions)
}

impl fmt::Debug for InMemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryStore").field("keys", &self.cache().len()).finish_non_exhaustive()
    }
}

/// Few, because each holds its part of the bytes, and an entry must fit into one.
const SHARDS: usize = 4;
/// Room for an answer's headers, its key and its groups beside its body. The body counts twice, because a part
/// takes no entry that would fill it.
const HEAD: u64 = 64 * 1024;
/// Of the index, for each name of a URI or a group: a place in its table, and the smallest table of keys.
const INDEX_PLACE: usize = 320;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::SystemTime;

    use http::{HeaderMap, Response, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::freshness::{Moments, TimedHeaders, Validity};
    use crate::layers::cache::stored::StoredAnswer;

    #[derive(Clone, Debug)]
    enum Step {
        Put { key: u8, groups: Vec<u8>, bytes: u16 },
        Remove(u8),
        RemoveUri(u8),
        RemoveGroup(u8, u8),
        RemoveOdd,
        Resize(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let groups = proptest::collection::vec(0..4_u8, 0..3);
        let step = prop_oneof![
            8 => (0..40_u8, groups, 0..2_000_u16)
                .prop_map(|(key, groups, bytes)| Step::Put { key, groups, bytes }),
            1 => (0..40_u8).prop_map(Step::Remove),
            1 => (0..20_u8).prop_map(Step::RemoveUri),
            1 => (0..2_u8, 0..4_u8).prop_map(|(origin, group)| Step::RemoveGroup(origin, group)),
            1 => Just(Step::RemoveOdd),
            1 => (1..40_u8).prop_map(Step::Resize),
        ];
        proptest::collection::vec(step, 1..120)
    }

    fn origin(number: u8) -> String {
        format!("http://{number}.test")
    }

    /// Twenty URIs of two origins, in two partitions.
    fn uri(number: u8) -> String {
        format!("{}/{}", origin(number % 2), number % 20)
    }

    fn key(number: u8) -> CacheKey {
        CacheKey::in_partition(if number < 20 { "ada" } else { "bob" }, &uri(number))
    }

    fn entry(groups: &[u8], bytes: u16) -> CacheEntry {
        let list = groups.iter().map(|group| format!("\"{group}\"")).collect::<Vec<_>>().join(",");
        let mut response = Response::new(());
        response.headers_mut().insert("cache-groups", list.parse().unwrap());
        let (head, ()) = response.into_parts();
        let now = Moments { monotonic: crate::rt::now(), wall: SystemTime::UNIX_EPOCH };
        let times = TimedHeaders::read(&head.headers, now.monotonic, now);
        let validity = Validity::new(StatusCode::OK, &head.headers, times);
        let none = HeaderMap::new();
        let stored = StoredAnswer::new(&head, &none, validity, vec![0; bytes.into()].into());
        CacheEntry::with(None, &none, stored.into()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        /// The model: what was put and not removed. The store may have dropped some of it, and no more.
        #[test]
        fn it_has_what_was_put_and_not_removed_within_its_bounds_and_so_has_the_index(steps in steps()) {
            let mut keys = 10;
            let store = InMemoryStore::new(64 * 1024, keys);
            let mut model: HashMap<CacheKey, Vec<u8>> = HashMap::new();
            for step in steps {
                match step {
                    Step::Put { key: number, groups, bytes } => {
                        store.put(key(number), entry(&groups, bytes));
                        model.insert(key(number), groups);
                    }
                    Step::Remove(number) => {
                        store.remove(&key(number));
                        model.remove(&key(number));
                    }
                    Step::RemoveUri(number) => {
                        store.remove_uri(&uri(number));
                        model.retain(|key, _| key.uri() != uri(number));
                    }
                    Step::RemoveGroup(of, group) => {
                        store.remove_group(&origin(of), &group.to_string());
                        model.retain(|key, groups| key.origin() != origin(of) || !groups.contains(&group));
                    }
                    Step::RemoveOdd => {
                        store.remove_where(&|key, _| key.uri().ends_with('1'));
                        model.retain(|key, _| !key.uri().ends_with('1'));
                    }
                    Step::Resize(most) => {
                        keys = most.into();
                        store.resize(Bounds { bytes: 64 * 1024, keys });
                    }
                }
                for number in 0..40 {
                    if let Some(entry) = store.get(&key(number)) {
                        let groups = model.get(&key(number));
                        prop_assert!(groups.is_some(), "it was removed");
                        prop_assert!(groups.unwrap().iter().all(|group| entry.is_in_group(&group.to_string())));
                    }
                }
                let (held, bytes) = store.size();
                prop_assert!(held <= keys as usize && bytes <= 64 * 1024, "{held} keys of {keys}, {bytes}");
                let cache = store.cache();
                prop_assert!(*store.index() == Index::of(cache.iter()));
            }
        }
    }
}
