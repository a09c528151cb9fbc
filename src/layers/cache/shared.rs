use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::asked::Asked;
use super::flight::{Flight, Waiter};
use super::key::{CacheKey, Partitions, origin_of};
#[cfg(feature = "cache")]
use super::memory::InMemoryStore;
use super::overlap::{Change, Overlap, PARTS, part_of};
use super::state::{KeyTable, Turn};
use super::store::{Bounds, CacheStore, StoreKind};
use super::stored::{CacheEntry, StoredAnswer};
use crate::freshness::{Failure, Moments, Storing};
use crate::rt::free_list::FreeList;
use crate::rt::{self, Clock, Lock, Rng, callback};
use crate::terms::CacheOutcome;

/// What all calls of a cache share: the store, what is under way, and counts.
#[derive(Debug)]
pub(super) struct Shared {
    store: Arc<dyn CacheStore>,
    /// The same, if its bounds can be changed.
    #[cfg(feature = "cache")]
    in_memory: Option<Arc<InMemoryStore>>,
    keys: Mutex<KeyTable<Flight>>,
    pub(super) partitions: Partitions,
    /// Memory for keys to look up.
    pub(super) free_texts: FreeList<String>,
    clock: Clock,
    rng: Rng,
    /// How often something was invalidated, for parts of all URIs.
    generations: [AtomicU64; PARTS],
    /// Changes of entries under way, for the same parts.
    overlaps: [Overlap; PARTS],
    /// How often a group was invalidated, whichever.
    group_generation: AtomicU64,
    counts: [AtomicU64; CacheOutcome::ALL.len()],
}

/// How often a URI was invalidated, or another one of the same part, and groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    uri: u64,
    groups: u64,
}

impl Shared {
    /// What a cache shares whose store is this one.
    pub(super) fn new(store: &StoreKind, bounds: Bounds, clock: Clock, rng: Rng) -> Self {
        match store {
            #[cfg(feature = "cache")]
            StoreKind::InMemory => {
                let store = Arc::new(InMemoryStore::new(bounds.bytes, bounds.keys));
                let in_memory = Some(Arc::clone(&store));
                Self { in_memory, ..Self::over(store, clock, rng) }
            }
            StoreKind::Own(store) => {
                // It bounds itself.
                let _ = bounds;
                Self::over(Arc::clone(store), clock, rng)
            }
        }
    }

    fn over(store: Arc<dyn CacheStore>, clock: Clock, rng: Rng) -> Self {
        Self {
            store,
            #[cfg(feature = "cache")]
            in_memory: None,
            keys: Mutex::default(),
            partitions: Partitions::new(),
            free_texts: FreeList::default(),
            clock,
            rng,
            generations: std::array::from_fn(|_| AtomicU64::new(0)),
            overlaps: std::array::from_fn(|_| Overlap::default()),
            group_generation: AtomicU64::new(0),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    pub(super) fn moments(&self) -> Moments {
        self.moments_at(rt::now())
    }

    /// The same, where the monotonic clock has been read.
    pub(super) fn moments_at(&self, monotonic: Instant) -> Moments {
        Moments { monotonic, wall: self.clock.wall() }
    }

    // === what is stored ===

    pub(super) fn entry(&self, key: &CacheKey) -> Option<CacheEntry> {
        callback::call(STORE, || self.store.get(key)).flatten()
    }

    /// Stores the answer to this request, whose fetch began in this generation. Returns whether it is
    /// stored: not if its URI was invalidated since, nor if a fetch beside it has brought a newer one.
    pub(super) fn put(&self, asked: &Asked, stored: &Arc<StoredAnswer>, began: Generation) -> bool {
        let key = &asked.key;
        if !self.is_valid(key, stored.is_grouped(), began) {
            return false;
        }
        let change = self.overlaps[part_of(key.uri())].begin();
        let headers = &asked.request.headers;
        let entry = CacheEntry::with(self.entry(key), headers, Arc::clone(stored));
        entry.is_some_and(|entry| self.write(key, entry, began, &change))
    }

    /// Stores what a 304 or a HEAD says of a stored answer, if it may be. Returns whether it is stored.
    pub(super) fn confirm(
        &self,
        asked: &Asked,
        confirmed: &Arc<StoredAnswer>,
        began: Generation,
    ) -> bool {
        let StoredAnswer { status, headers, validity, .. } = &**confirmed;
        match asked.storing(*status, headers, validity) {
            Storing::Store => self.put(asked, confirmed, began),
            Storing::Leave => false,
            Storing::Replace => {
                self.forget(asked);
                false
            }
        }
    }

    /// Drops the answers that this request chooses.
    pub(super) fn forget(&self, asked: &Asked) {
        let key = &asked.key;
        let change = self.overlaps[part_of(key.uri())].begin_drop();
        let began = self.generation(key);
        let Some(entry) = self.entry(key) else { return };
        match entry.without(&asked.request.headers) {
            Some(left) => {
                self.write(key, left, began, &change);
            }
            None => self.remove(key),
        }
    }

    /// How many keys are stored, and their bytes.
    pub(super) fn size(&self) -> (usize, u64) {
        callback::call(STORE, || self.store.size()).unwrap_or_default()
    }

    /// Stores an entry that was made of what was stored in this generation. Returns false, and stores
    /// nothing, if its URI was invalidated since, or answers of it were dropped.
    fn write(
        &self,
        key: &CacheKey,
        entry: CacheEntry,
        began: Generation,
        change: &Change<'_>,
    ) -> bool {
        let is_grouped = entry.groups().next().is_some();
        let _ = callback::call(STORE, || self.store.put(key.clone(), entry));
        // It may have been invalidated just now.
        let is_valid = self.is_valid(key, is_grouped, began) && change.is_alone();
        if !is_valid {
            self.remove(key);
        }
        is_valid
    }

    fn remove(&self, key: &CacheKey) {
        let _ = callback::call(STORE, || self.store.remove(key));
    }

    /// Changes the bounds of the store in memory.
    pub(super) fn resize(&self, bounds: Bounds) {
        #[cfg(feature = "cache")]
        self.in_memory.iter().for_each(|store| store.resize(bounds));
        #[cfg(not(feature = "cache"))]
        let _ = bounds;
    }

    // === invalidation ===

    pub(super) fn generation(&self, key: &CacheKey) -> Generation {
        Generation {
            uri: self.generations[part_of(key.uri())].load(Ordering::SeqCst),
            groups: self.group_generation.load(Ordering::SeqCst),
        }
    }

    /// Whether nothing was invalidated since that an answer under this key may belong to. Only one that
    /// `is_grouped` belongs to groups.
    fn is_valid(&self, key: &CacheKey, is_grouped: bool, since: Generation) -> bool {
        let now = self.generation(key);
        now.uri == since.uri && (!is_grouped || now.groups == since.groups)
    }

    /// Drops all answers to this normalised URI, of all partitions, and those of the groups that they are in
    /// (RFC 9875, 2.2.1). Other groups of these are not touched.
    pub(super) fn invalidate(&self, uri: &str) {
        self.generations[part_of(uri)].fetch_add(1, Ordering::SeqCst);
        let removed = callback::call(STORE, || self.store.remove_uri(uri)).unwrap_or_default();
        let groups: HashSet<_> = removed.iter().flat_map(CacheEntry::groups).collect();
        for group in groups {
            self.invalidate_group(origin_of(uri), group);
        }
    }

    /// Drops all answers in this group of an origin, of all partitions.
    pub(super) fn invalidate_group(&self, origin: &str, group: &str) {
        self.group_generation.fetch_add(1, Ordering::SeqCst);
        let _ = callback::call(STORE, || self.store.remove_group(origin, group));
    }

    /// Drops all answers to URIs for which `goes` says so, of all partitions.
    pub(super) fn invalidate_where(&self, goes: impl Fn(&str) -> bool) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::SeqCst);
        }
        let _ = callback::call(STORE, || self.store.remove_where(&|key, _| goes(key.uri())));
    }

    // === what is under way ===

    /// Joins the fetch for this key, or begins it.
    pub(super) fn join(&self, key: &CacheKey) -> (Turn<Flight>, Option<Waiter>) {
        let mut keys = self.keys();
        let turn = keys.join(key, rt::now(), Flight::new, Flight::gives_way);
        // Under the lock, so that no fetch ends as abandoned in between.
        let waiter = match &turn {
            Turn::Lead(flight) | Turn::Follow(flight) => Some(flight.wait()),
            Turn::Alone => None,
        };
        (turn, waiter)
    }

    /// Begins a background refresh, unless one runs or the provider is left in peace.
    pub(super) fn begin_refresh(&self, key: &CacheKey) -> Option<(Flight, Waiter)> {
        let mut keys = self.keys();
        let flight = keys.begin_refresh(key, rt::now(), Flight::new)?;
        let waiter = flight.wait();
        Some((flight, waiter))
    }

    /// Waits until nobody waits for the fetch any more, and lets nobody join it then.
    pub(super) async fn abandoned(&self, key: &CacheKey, flight: &Flight) {
        loop {
            flight.left().await;
            let mut keys = self.keys();
            if !flight.is_awaited() {
                keys.end(key, flight);
                return;
            }
        }
    }

    pub(super) fn end(&self, key: &CacheKey, flight: &Flight) {
        self.keys().end(key, flight);
    }

    /// The failure for which the provider isn't asked now.
    pub(super) fn quiet(&self, key: &CacheKey, now: Instant) -> Option<Failure> {
        self.keys().quiet(key, now)
    }

    /// Remembers what a fetch came to: a failure, if something is stored that can be given meanwhile.
    pub(super) fn note(&self, asked: &Asked, began: Instant, failure: Option<Failure>) {
        match failure {
            None => self.keys().answered(&asked.key),
            Some(failure) if asked.known.is_some() => self.failed(&asked.key, began, failure),
            Some(_) => {}
        }
    }

    pub(super) fn failed(&self, key: &CacheKey, began: Instant, of: Failure) {
        let share = self.rng.fraction();
        self.keys().failed(key, (began, rt::now()), of, share);
    }

    pub(super) fn refused(&self, key: &CacheKey) {
        let share = self.rng.fraction();
        self.keys().refused(key, rt::now(), share);
    }

    pub(super) fn not_shared(&self, key: &CacheKey) {
        self.keys().not_shared(key, rt::now());
    }

    /// How many keys' last fetches have failed.
    pub(super) fn failing(&self) -> usize {
        self.keys().failing(rt::now())
    }

    fn keys(&self) -> MutexGuard<'_, KeyTable<Flight>> {
        self.keys.locked()
    }

    // === counts ===

    pub(super) fn count(&self, outcome: CacheOutcome) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted(&self, outcome: CacheOutcome) -> u64 {
        self.counts[outcome as usize].load(Ordering::Relaxed)
    }
}

/// The name of the user's store in the report of a panic.
const STORE: &str = "cache store";
