use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::asked::Asked;
use super::flight::{Flight, Waiter};
use super::key::{CacheKey, Partitions};
use super::state::{KeyTable, Turn};
use super::store::{CacheStore, StoreKind};
use super::stored::{CacheEntry, StoredAnswer};
use crate::freshness::{Failure, Moments, Storing};
use crate::rt::{self, Clock, Lock, Rng, callback};
use crate::terms::CacheOutcome;

/// What all calls of a cache share: the store, what is under way, and counts.
#[derive(Debug)]
pub(super) struct Shared {
    store: Arc<dyn CacheStore>,
    keys: Mutex<KeyTable<Flight>>,
    pub(super) partitions: Partitions,
    /// Something may be stored that isn't for all.
    is_partitioned: AtomicBool,
    clock: Clock,
    rng: Rng,
    /// How often something was invalidated, for parts of all URIs.
    generations: [AtomicU64; PARTS],
    counts: [AtomicU64; CacheOutcome::ALL.len()],
}

/// How often a URI was invalidated, or another one of the same part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Shared {
    pub(super) fn new(store: &StoreKind, clock: Clock, rng: Rng) -> Self {
        Self {
            store: store.open(),
            keys: Mutex::default(),
            partitions: Partitions::new(&rng),
            // A user's store may hold what another cache has stored.
            is_partitioned: AtomicBool::new(matches!(store, StoreKind::Own(_))),
            clock,
            rng,
            generations: std::array::from_fn(|_| AtomicU64::new(0)),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    pub(super) fn moments(&self) -> Moments {
        Moments { monotonic: rt::now(), wall: self.clock.wall() }
    }

    // === what is stored ===

    pub(super) fn entry(&self, key: &CacheKey) -> Option<CacheEntry> {
        callback::call(STORE, || self.store.get(key)).flatten()
    }

    /// Stores the answer to this request, whose fetch began in this generation. Returns whether it is
    /// stored: not if its URI was invalidated since.
    pub(super) fn put(&self, asked: &Asked, stored: &Arc<StoredAnswer>, began: Generation) -> bool {
        let key = &asked.key;
        if self.generation(key) != began {
            return false;
        }
        let headers = &asked.request.headers;
        let entry = CacheEntry::with(self.entry(key), headers, Arc::clone(stored));
        self.write(key, entry, began)
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
        let began = self.generation(key);
        let Some(entry) = self.entry(key) else { return };
        match entry.without(&asked.request.headers) {
            Some(left) => {
                self.write(key, left, began);
            }
            None => self.remove(key),
        }
    }

    /// How many keys are stored, and their bytes.
    pub(super) fn size(&self) -> (usize, u64) {
        callback::call(STORE, || self.store.size()).unwrap_or_default()
    }

    /// Stores an entry that was made of what was stored in this generation. Returns false, and stores
    /// nothing, if its URI was invalidated since.
    fn write(&self, key: &CacheKey, entry: CacheEntry, began: Generation) -> bool {
        if !key.partition().is_empty() {
            // Before the generation is read, in one order with it: so an invalidation sees this, or it is seen.
            self.is_partitioned.store(true, Ordering::SeqCst);
        }
        let _ = callback::call(STORE, || self.store.put(key.clone(), entry));
        // It may have been invalidated just now.
        let is_valid = self.generation(key) == began;
        if !is_valid {
            self.remove(key);
        }
        is_valid
    }

    fn remove(&self, key: &CacheKey) {
        let _ = callback::call(STORE, || self.store.remove(key));
    }

    fn remove_where(&self, goes: impl Fn(&str) -> bool) {
        let _ = callback::call(STORE, || self.store.remove_where(&|key| goes(key.uri())));
    }

    // === invalidation ===

    pub(super) fn generation(&self, key: &CacheKey) -> Generation {
        Generation(self.generations[part_of(key.uri())].load(Ordering::SeqCst))
    }

    /// Drops all answers to this normalised URI, of all partitions.
    pub(super) fn invalidate(&self, uri: &str) {
        self.generations[part_of(uri)].fetch_add(1, Ordering::SeqCst);
        match self.is_partitioned.load(Ordering::SeqCst) {
            true => self.remove_where(|known| known == uri),
            // The usual case, in which no other key has to be looked at.
            false => self.remove(&CacheKey::for_all(uri)),
        }
    }

    /// Drops all answers to URIs for which `goes` says so, of all partitions.
    pub(super) fn invalidate_where(&self, goes: impl Fn(&str) -> bool) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::SeqCst);
        }
        self.remove_where(goes);
    }

    // === what is under way ===

    /// Joins the fetch for this key, or begins it.
    pub(super) fn join(&self, key: &CacheKey) -> (Turn<Flight>, Option<Waiter>) {
        let mut keys = self.keys();
        let turn = keys.join(key, rt::now(), Flight::new);
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

    pub(super) fn failed(&self, key: &CacheKey, of: Failure) {
        let share = self.rng.fraction();
        self.keys().failed(key, rt::now(), of, share);
    }

    pub(super) fn answered(&self, key: &CacheKey) {
        self.keys().answered(key);
    }

    pub(super) fn not_shared(&self, key: &CacheKey) {
        self.keys().not_shared(key, rt::now());
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

fn part_of(uri: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    uri.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
}

/// The name of the user's store in the report of a panic.
const STORE: &str = "cache store";
/// So many that an unrelated write rarely keeps an answer from being stored.
const PARTS: usize = 64;
