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

/// One value for each key, made when a key is first seen and forgotten when it is idle.
///
/// A call takes a lock that all calls share. Where a new key finds the map full, a few of the values are
/// looked at, from where the last look ended: the idle ones among them go, or else the one that was used
/// longest ago, of those that are at rest first. Of a map with no more than [`LOOKS`] keys, that is the
/// longest ago of all.
pub(crate) struct KeyedMap<T, W> {
    key: KeyOf,
    most: usize,
    idle: Duration,
    epoch: Instant,
    known: RwLock<Known<T, W>>,
}

/// A value that is kept for a key.
pub(crate) trait Kept {
    /// Whether nothing is lost with it but what it learned.
    fn is_at_rest(&self) -> bool;
}

pub(crate) type KeyOf = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync>;

/// The values, and what the next ones are made with.
struct Known<T, W> {
    with: W,
    places: Places,
    slots: Vec<Slot<T>>,
    /// Where the next look for one to forget begins.
    hand: usize,
}

/// Where each key's value is. In parts, because a table that grows or is cleaned up moves all that is
/// in it, under the lock that every call takes.
struct Places(Vec<HashMap<Arc<str>, usize>>);

struct Slot<T> {
    key: Arc<str>,
    /// When it was last used, in milliseconds.
    used: AtomicU64,
    value: Arc<T>,
}

impl<T: Kept, W: Clone> KeyedMap<T, W> {
    pub(crate) fn new(key: KeyOf, most: usize, idle: Duration, with: W) -> Self {
        let places = Places::new(most);
        let known = Known { with, places, slots: Vec::new(), hand: 0 };
        Self { key, most, idle, epoch: rt::now(), known: RwLock::new(known) }
    }

    /// The same, with none known yet.
    pub(crate) fn renewed(&self, with: W) -> Self {
        Self::new(Arc::clone(&self.key), self.most, self.idle, with)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// What the next ones are made with, and what is done to those that are known.
    pub(crate) fn reconfigure(&self, with: impl FnOnce(W) -> W, each: impl Fn(&T)) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.with = with(known.with.clone());
        drop(known);
        // What is done to them may tell others, who ask for the keys.
        self.all().iter().for_each(|value| each(value));
    }

    /// The value of this request's key.
    pub(crate) fn of(&self, head: &RequestHead<'_>, make: impl FnOnce(&W) -> T) -> Arc<T> {
        // Requests whose key function panics share one value.
        let key = callback::call("key function", || (self.key)(head)).unwrap_or_default();
        let now = self.millis(rt::now());
        let known = self.read();
        if let Some(slot) = known.slot(&key) {
            slot.used.store(now, Ordering::Relaxed);
            return Arc::clone(&slot.value);
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

    fn insert(&self, key: &str, make: impl FnOnce(&W) -> T, now: u64) -> Arc<T> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = known.slot(key) {
            // Another call was faster.
            return Arc::clone(&slot.value);
        }
        if known.slots.len() >= self.most {
            let idle = u64::try_from(self.idle.as_millis()).unwrap_or(u64::MAX);
            known.make_room(now, idle);
        }
        let (key, value): (Arc<str>, _) = (key.into(), Arc::new(make(&known.with)));
        let place = known.slots.len();
        known.places.set(&key, place);
        known.slots.push(Slot { key, used: AtomicU64::new(now), value: Arc::clone(&value) });
        value
    }

    fn read(&self) -> RwLockReadGuard<'_, Known<T, W>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_millis() as u64
    }
}

impl<T: Kept, W> Known<T, W> {
    fn slot(&self, key: &str) -> Option<&Slot<T>> {
        self.places.of(key).get(key).map(|place| &self.slots[*place])
    }

    /// Forgets what was not used for so long, of the next few, or else one of them.
    fn make_room(&mut self, now: u64, idle: u64) {
        let looks = LOOKS.min(self.slots.len());
        let begins = self.hand;
        let next = |look: usize, len: usize| (begins + look) % len;
        let len = self.slots.len();
        let mut places: Vec<_> = (0..looks).map(|look| next(look, len)).collect();
        self.hand = next(looks, len);
        let used = |place: &usize| self.slots[*place].used.load(Ordering::Relaxed);
        let rank = |place: &usize| (!self.slots[*place].value.is_at_rest(), used(place));
        let is_idle = |place: &usize| {
            now.saturating_sub(used(place)) >= idle && self.slots[*place].value.is_at_rest()
        };
        if places.iter().any(is_idle) {
            places.retain(is_idle);
        } else if let Some(oldest) = places.iter().copied().min_by_key(rank) {
            places = vec![oldest];
        }
        // From the last: whatever takes a place comes from behind it.
        places.sort_unstable_by(|one, other| other.cmp(one));
        places.into_iter().for_each(|place| self.forget(place));
    }

    fn forget(&mut self, place: usize) {
        let gone = self.slots.swap_remove(place);
        self.places.remove(&gone.key);
        if let Some(moved) = self.slots.get(place) {
            self.places.set(&moved.key, place);
        }
    }
}

impl Places {
    fn new(most: usize) -> Self {
        let parts = (most / PART).clamp(1, PARTS);
        Self((0..parts).map(|_| HashMap::new()).collect())
    }

    fn of(&self, key: &str) -> &HashMap<Arc<str>, usize> {
        &self.0[self.part(key)]
    }

    fn set(&mut self, key: &Arc<str>, place: usize) {
        let part = self.part(key);
        self.0[part].insert(Arc::clone(key), place);
    }

    fn remove(&mut self, key: &str) {
        let part = self.part(key);
        self.0[part].remove(key);
    }

    /// Where a key's place stands, by the FNV-1a hash of its bytes. Keys that were made to meet in one
    /// part find it as slow as one table would be.
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

/// How many values a new key may cost a look at: many enough that one of them was mostly idle for long.
const LOOKS: usize = 16;

/// About how many keys a part holds at least, where there are several, and how many parts there are at
/// most: a table of some thousand keys is cleaned up in well under a millisecond.
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
    struct Value(AtomicBool);

    impl Kept for Value {
        fn is_at_rest(&self) -> bool {
            !self.0.load(Ordering::Relaxed)
        }
    }

    fn map(most: usize, idle: Duration) -> KeyedMap<Value, ()> {
        let key: KeyOf = Arc::new(|head| head.uri.path().trim_start_matches('/').into());
        KeyedMap::new(key, most, idle, ())
    }

    fn touch(map: &KeyedMap<Value, ()>, key: &str) -> Arc<Value> {
        let request = Request::get(format!("/{key}")).body(()).expect("a request");
        map.of(&RequestHead::of(&request), |()| Value::default())
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
        let places: usize = map.read().places.0.iter().map(HashMap::len).sum();
        assert_eq!(places, 5_000);
    }
}
