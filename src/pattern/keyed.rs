use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::context::RequestHead;
use crate::rt;
use crate::rt::callback;
use crate::rt::sync::atomic::{AtomicU64, Ordering};
use crate::rt::sync::{RwLock, RwLockReadGuard};

#[cfg(all(test, outrigger_loom))]
mod interleavings;

/// One value for each key, made when a key is first seen and removed when it is idle.
///
/// All calls share one lock. When a new key finds the map full, the next [`LOOKS`] values are
/// checked: the idle ones are removed, or if there are none, the least recently used one. A value
/// at rest is removed before one that isn't. With at most [`LOOKS`] keys, this is exactly the least
/// recently used. Values that must stay aren't counted among those, and are never removed: a map that
/// is full of them has no value for a new key.
pub(crate) struct KeyedMap<T, W> {
    key: KeyOf,
    most: usize,
    idle: Duration,
    epoch: Instant,
    known: RwLock<Entries<T, W>>,
}

/// A value of a [`KeyedMap`].
pub(crate) trait KeyedValue {
    /// Whether it can be removed without losing more than what it has learned.
    fn is_at_rest(&self) -> bool;

    /// Whether removing it would lose what nobody else has.
    fn must_stay(&self) -> bool {
        false
    }
}

pub(crate) type KeyOf = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync>;

/// The values, and the settings for new ones.
struct Entries<T, W> {
    with: W,
    key_index: KeyIndex,
    slots: Vec<Entry<T>>,
    /// The index at which the next search for a value to remove begins.
    hand: usize,
}

/// The index of each key's value. Split into parts, because growing or cleaning a table moves all
/// its entries, under the lock that every call takes.
struct KeyIndex(Vec<HashMap<Arc<str>, usize>>);

struct Entry<T> {
    key: Arc<str>,
    /// When it was last used, in milliseconds.
    used: AtomicU64,
    value: Arc<T>,
}

impl<T: KeyedValue, W: Clone> KeyedMap<T, W> {
    pub(crate) fn new(key: KeyOf, most: usize, idle: Duration, with: W) -> Self {
        let key_index = KeyIndex::new(most);
        let known = Entries { with, key_index, slots: Vec::new(), hand: 0 };
        Self { key, most, idle, epoch: rt::now(), known: RwLock::new(known) }
    }

    /// The same map without values.
    pub(crate) fn renewed(&self, with: W) -> Self {
        Self::new(Arc::clone(&self.key), self.most, self.idle, with)
    }

    /// Reads the settings for new values.
    pub(crate) fn new_with<R>(&self, look: impl FnOnce(&W) -> R) -> R {
        look(&self.read().with)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Changes the settings for new values, and applies `each` to the present ones.
    pub(crate) fn reconfigure(&self, with: impl FnOnce(W) -> W, each: impl Fn(&T)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.with = with(known.with.clone());
        drop(known);
        // `each` may call subscribers, and they may ask for the keys: hold no lock.
        self.all().iter().for_each(|value| each(value));
    }

    /// The value of this request's key; `None` if the key is new, and the map full of values that must stay.
    pub(crate) fn of(
        &self,
        head: &RequestHead<'_>,
        make: impl FnOnce(&str, &W) -> T,
    ) -> Option<Arc<T>> {
        // Requests whose key function panics share one value.
        let key = callback::call("key function", || (self.key)(head)).unwrap_or_default();
        let now = self.millis(rt::now());
        let known = self.read();
        if let Some(slot) = known.slot(&key) {
            slot.used.store(now, Ordering::Relaxed);
            return Some(Arc::clone(&slot.value));
        }
        drop(known);
        self.insert(&key, make, now)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.read().slot(key).map(|slot| Arc::clone(&slot.value))
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.read().slots.iter().map(|slot| slot.key.to_string()).collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.read().slots.iter().map(|slot| Arc::clone(&slot.value)).collect()
    }

    fn insert(&self, key: &str, make: impl FnOnce(&str, &W) -> T, now: u64) -> Option<Arc<T>> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = known.slot(key) {
            // Another call has inserted it meanwhile.
            return Some(Arc::clone(&slot.value));
        }
        if known.slots.len() >= self.most {
            let idle = u64::try_from(self.idle.as_millis()).unwrap_or(u64::MAX);
            known.make_room(now, idle);
            if known.slots.len() >= self.most {
                return None;
            }
        }
        let value = Arc::new(make(key, &known.with));
        let key: Arc<str> = key.into();
        let index = known.slots.len();
        known.key_index.set(&key, index);
        known.slots.push(Entry { key, used: AtomicU64::new(now), value: Arc::clone(&value) });
        Some(value)
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries<T, W>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_millis() as u64
    }
}

impl<T: KeyedValue, W> Entries<T, W> {
    fn slot(&self, key: &str) -> Option<&Entry<T>> {
        self.key_index.of(key).get(key).map(|index| &self.slots[*index])
    }

    /// Removes the idle ones of the next few values that may go, or else one of them.
    fn make_room(&mut self, now: u64, idle: u64) {
        let (begins, len) = (self.hand, self.slots.len());
        let all = (0..len).map(|look| (begins + look) % len);
        let may_go = all.filter(|index| !self.slots[*index].value.must_stay());
        let mut indices: Vec<_> = may_go.take(LOOKS).collect();
        self.hand = indices.last().map_or(0, |last| (last + 1) % len);
        let used = |index: &usize| self.slots[*index].used.load(Ordering::Relaxed);
        let rank = |index: &usize| (!self.slots[*index].value.is_at_rest(), used(index));
        let is_idle = |index: &usize| {
            now.saturating_sub(used(index)) >= idle && self.slots[*index].value.is_at_rest()
        };
        if indices.iter().any(is_idle) {
            indices.retain(is_idle);
        } else if let Some(oldest) = indices.iter().copied().min_by_key(rank) {
            indices = vec![oldest];
        }
        // Highest index first: `swap_remove` moves the last value into the gap.
        indices.sort_unstable_by(|one, other| other.cmp(one));
        indices.into_iter().for_each(|index| self.remove(index));
    }

    fn remove(&mut self, index: usize) {
        let gone = self.slots.swap_remove(index);
        self.key_index.remove(&gone.key);
        if let Some(moved) = self.slots.get(index) {
            self.key_index.set(&moved.key, index);
        }
    }
}

impl KeyIndex {
    fn new(most: usize) -> Self {
        let parts = (most / PART).clamp(1, PARTS);
        Self((0..parts).map(|_| HashMap::new()).collect())
    }

    fn of(&self, key: &str) -> &HashMap<Arc<str>, usize> {
        &self.0[self.part(key)]
    }

    fn set(&mut self, key: &Arc<str>, index: usize) {
        let part = self.part(key);
        self.0[part].insert(Arc::clone(key), index);
    }

    fn remove(&mut self, key: &str) {
        let part = self.part(key);
        self.0[part].remove(key);
    }

    /// The part that holds a key, by the FNV-1a hash of its bytes. An attacker can choose keys that
    /// share one part, which is then as slow as a single table.
    fn part(&self, key: &str) -> usize {
        let hash = key
            .bytes()
            .fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
        (hash % self.0.len() as u64) as usize
    }
}

impl<T, W> fmt::Debug for KeyedMap<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMap").field("most", &self.most).finish_non_exhaustive()
    }
}

/// How many values a new key checks. Among so many, one has usually been idle for long.
const LOOKS: usize = 16;

/// About the fewest keys of a part, and the most parts. A table of some thousand keys is cleaned in
/// well under a millisecond.
const PART: usize = 1_024;
const PARTS: usize = 64;

/// FNV-1a with 64 bits, by Fowler, Noll and Vo.
const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use std::sync::atomic::AtomicBool;

    #[derive(Debug, Default)]
    struct Value(AtomicBool, AtomicBool);

    impl KeyedValue for Value {
        fn is_at_rest(&self) -> bool {
            !self.0.load(Ordering::Relaxed)
        }

        fn must_stay(&self) -> bool {
            self.1.load(Ordering::Relaxed)
        }
    }

    fn map(most: usize, idle: Duration) -> KeyedMap<Value, ()> {
        let key: KeyOf = Arc::new(|head| head.uri.path().trim_start_matches('/').into());
        KeyedMap::new(key, most, idle, ())
    }

    fn touch(map: &KeyedMap<Value, ()>, key: &str) -> Arc<Value> {
        try_touch(map, key).expect("a value may go")
    }

    fn try_touch(map: &KeyedMap<Value, ()>, key: &str) -> Option<Arc<Value>> {
        let request = Request::get(format!("/{key}")).body(()).expect("a request");
        map.of(&RequestHead::of(&request), |_, ()| Value::default())
    }

    async fn pass(millis: u64) {
        rt::sleep_until(rt::now() + Duration::from_millis(millis)).await;
    }

    fn keys(map: &KeyedMap<Value, ()>) -> Vec<String> {
        let mut keys = map.keys();
        keys.sort_unstable();
        keys
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_was_used_longest_ago_goes_of_those_at_rest_first() {
        let map = map(3, Duration::from_secs(60));
        for key in ["a", "b", "c", "a"] {
            touch(&map, key);
            pass(10).await;
        }
        touch(&map, "d");
        assert_eq!(keys(&map), ["a", "c", "d"]);
        map.get("c").expect("known").0.store(true, Ordering::Relaxed);
        pass(10).await;
        touch(&map, "e");
        assert_eq!(keys(&map), ["c", "d", "e"]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_are_idle_go_at_once() {
        let map = map(5, Duration::from_secs(1));
        for key in ["a", "b", "c", "d", "e"] {
            touch(&map, key);
        }
        pass(1_000).await;
        for key in ["b", "e"] {
            touch(&map, key);
        }
        touch(&map, "f");
        assert_eq!(keys(&map), ["b", "e", "f"]);
        assert!(map.get("a").is_none() && map.get("e").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_must_stay_is_never_removed() {
        let map = map(LOOKS * 3, Duration::from_secs(1));
        let keys: Vec<_> = (0..LOOKS * 3).map(|key| format!("old{key}")).collect();
        let values: Vec<_> = keys.iter().map(|key| touch(&map, key)).collect();
        values[1..].iter().for_each(|value| value.1.store(true, Ordering::Relaxed));
        pass(2_000).await;
        // More values must stay than are looked at: the one that may go is found all the same.
        touch(&map, "new1");
        assert!(map.get("old0").is_none());
        map.get("new1").expect("known").1.store(true, Ordering::Relaxed);
        assert!(try_touch(&map, "new2").is_none());
        assert!(Arc::ptr_eq(&touch(&map, "old1"), &values[1]));
        values[5].1.store(false, Ordering::Relaxed);
        touch(&map, "new2");
        assert!(map.get("old5").is_none());
        assert_eq!(map.all().len(), LOOKS * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_key_on_a_full_map_looks_at_a_few_and_in_the_end_at_all() {
        let map = map(1_000, Duration::from_secs(60));
        for key in 0..1_000 {
            touch(&map, &format!("old{key}"));
        }
        pass(1_000).await;
        for key in 0..1_000 {
            touch(&map, &format!("new{key}"));
            pass(1).await;
            assert_eq!(map.all().len(), 1_000);
        }
        let old = map.keys().iter().filter(|key| key.starts_with("old")).count();
        assert!(old < 50, "{old} of those that nobody used are left");
        map.keys().iter().for_each(|key| assert!(map.get(key).is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_map_keeps_as_many_keys_as_it_may_and_finds_each() {
        let map = map(5_000, Duration::from_secs(60));
        for key in 0..12_000 {
            touch(&map, &format!("key{key}"));
        }
        let keys = keys(&map);
        assert_eq!((keys.len(), map.all().len()), (5_000, 5_000));
        assert!(keys.iter().all(|key| map.get(key).is_some()));
        assert!(map.get("key12000").is_none());
        let indices: usize = map.read().key_index.0.iter().map(HashMap::len).sum();
        assert_eq!(indices, 5_000);
    }
}
