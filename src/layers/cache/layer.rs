use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tower_layer::Layer;

use super::around::CachePattern;
use super::config::{CacheConfig, CacheWindows};
use super::handle::CacheHandle;
use super::origin::{Origin, ServiceOrigin};
use super::parts::{Alive, Settings};
use super::shared::Shared;
use super::store::{CacheStore, StoreKind};
use crate::body::Body;
use crate::context::{PathTemplate, Stop};
use crate::event::Emitter;
use crate::outcome::{BoxError, Classify, SharedClassifier};
use crate::pattern::ownership::Ownership;
use crate::pattern::{InnerService, Layered, Own, Slot, Wiring};
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, Errors, validate};
use crate::terms::Class;

/// Answers from what is stored. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares what is stored. So does an
/// integration that was built with it; of several, all do if a handle was taken before, otherwise the
/// first.
///
/// It is a layer of its own and no part of [`pattern::layers`](crate::pattern::layers): there each pattern
/// borrows those further in for one call, and a fetch that outlives its caller needs them for itself. An
/// integration gives it them ([`IntegrationBuilder::cache`](crate::IntegrationBuilder::cache)); alone, it
/// takes clones of the service that it wraps, so put `layers` below it.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CacheLayer {
    /// Absent if nothing is stored.
    store: Option<StoreKind>,
    pub(crate) config: CacheConfig,
    classifier: SharedClassifier,
    emitter: Emitter,
    clock: Clock,
    rng: Rng,
    fetch_limit: Duration,
    call_limit: Option<Duration>,
    needs_partition: bool,
    /// Absent if nothing is stored.
    state: Option<Arc<State>>,
}

/// A service with a cache, made by a [`CacheLayer`]. The service that it wraps must be `Clone`, and its
/// requests and those of this service have a [`Body`](crate::Body).
pub type Cache<S> = Layered<Option<CachePattern>, S, Own>;

/// What the layer's clones and handles share.
struct State {
    shared: Arc<Shared>,
    ownership: Ownership,
    alive: Alive,
}

#[cfg(feature = "cache")]
impl CacheLayer {
    /// A private cache by RFC 9111, in memory: at most 64 MiB, 10,000 keys, and bodies up to 1 MiB.
    pub fn new() -> Self {
        Self::of(StoreKind::InMemory)
    }

    /// How many bytes may be stored, 64 MiB by default, and at least 8 ×
    /// [`body_cap`](Self::body_cap) + 256 KiB. Detaches the layer from what is stored; changed by a
    /// file's settings, what still fits stays.
    pub fn max_bytes(mut self, most: u64) -> Self {
        self.config.bounds.bytes = most;
        self.renewed()
    }

    /// How many URIs may be stored, 10,000 by default; each partition counts. Detaches the layer from
    /// what is stored.
    pub fn max_keys(mut self, most: u32) -> Self {
        self.config.bounds.keys = most;
        self.renewed()
    }
}

impl CacheLayer {
    /// The same cache with a store of your own, which bounds itself.
    pub fn with_store(store: impl CacheStore) -> Self {
        Self::of(StoreKind::Own(Arc::new(store)))
    }

    /// No cache: the layer does nothing.
    pub fn disabled() -> Self {
        Self {
            store: None,
            config: CacheConfig::default(),
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
            rng: Rng::system(),
            fetch_limit: FETCH_LIMIT,
            call_limit: None,
            needs_partition: false,
            state: None,
        }
    }

    fn of(store: StoreKind) -> Self {
        Self { store: Some(store), ..Self::disabled() }.renewed()
    }

    /// For how long an answer that doesn't say is fresh; by default it is guessed from its
    /// `Last-Modified`, or not fresh at all. Errors get no lifetime.
    pub fn fresh_for(mut self, lifetime: Duration) -> Self {
        self.config.windows.fresh_for = Some(lifetime);
        self
    }

    /// For how long past its lifetime an answer that doesn't say is given at once, while it is fetched
    /// anew in the background; not at all by default.
    pub fn stale_while_revalidate(mut self, window: Duration) -> Self {
        self.config.windows.stale_while_revalidate = window;
        self
    }

    /// For how long past its lifetime an answer stands in for an error, at least: answers and requests
    /// may say longer. Not at all by default.
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.config.windows.stale_if_error = window;
        self
    }

    /// For which failures an answer stands in within [`stale_if_error`](Self::stale_if_error), in place
    /// of the default: the provider failed, throttled, or could not be asked. If it panics, the default
    /// applies. The windows that answers name are for failures of the provider alone, and for those that
    /// kept it from being asked.
    pub fn stale_when<F>(mut self, condition: F) -> Self
    where
        F: Fn(Class) -> bool + Send + Sync + 'static,
    {
        self.config.stale_when = Some(Arc::new(condition));
        self
    }

    /// Other windows for the requests that have this
    /// [`PathTemplate`](crate::context::PathTemplate).
    pub fn template(mut self, template: impl Into<Arc<str>>, windows: CacheWindows) -> Self {
        self.config.set_template(PathTemplate::new(template), windows);
        self
    }

    /// The largest body that is stored, in bytes; 1 MiB by default.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.config.body_cap = bytes;
        self
    }

    /// What results mean.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The clock for dates; the system's by default. Detaches the layer from what is stored.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self.renewed()
    }

    /// The source of jitter; the system's by default. Detaches the layer from what is stored.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self.renewed()
    }

    /// A handle that reads counts and drops what is stored; `None` if nothing is.
    #[must_use]
    pub fn handle(&self) -> Option<CacheHandle> {
        let state = self.state.as_ref()?;
        state.ownership.share();
        self.reader()
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("cache", |errors| self.check_into(errors))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.store.is_some()
    }

    /// Whether the store is the user's, which bounds itself.
    #[cfg(feature = "serde")]
    pub(super) fn has_own_store(&self) -> bool {
        matches!(self.store, Some(StoreKind::Own(_)))
    }

    /// How long a background refresh may take, and a call.
    pub(crate) fn limits(mut self, attempt: Option<Duration>, call: Option<Duration>) -> Self {
        (self.fetch_limit, self.call_limit) = (attempt.unwrap_or(FETCH_LIMIT), call);
        self
    }

    /// Calls without a [`CachePartition`](super::CachePartition) go past the cache.
    pub(crate) fn named_partitions_only(mut self, is_needed: bool) -> Self {
        self.needs_partition = is_needed;
        self
    }

    /// A handle that doesn't mark what is stored as shared.
    pub(crate) fn reader(&self) -> Option<CacheHandle> {
        self.state.as_ref().map(|state| CacheHandle::new(Arc::clone(&state.shared)))
    }

    /// The pattern over this origin, and outside of this kill switch; `None` if nothing is stored.
    pub(crate) fn pattern(
        &self,
        origin: impl FnOnce() -> Arc<dyn Origin>,
        switch: Option<Arc<dyn Stop>>,
    ) -> Option<CachePattern> {
        let state = self.state.as_ref()?;
        let settings = Settings {
            shared: Arc::clone(&state.shared),
            config: self.config.clone(),
            classifier: self.classifier.clone(),
            emitter: self.emitter.clone(),
            fetch_limit: self.fetch_limit,
            call_limit: self.call_limit,
            needs_partition: self.needs_partition,
            switch,
        };
        Some(CachePattern::new(Arc::new(settings), origin(), state.alive.clone()))
    }

    /// The same layer with nothing stored.
    fn renewed(mut self) -> Self {
        self.state = self.store.as_ref().map(|store| {
            let shared = Shared::new(store, self.config.bounds, self.clock, self.rng.clone());
            let shared = Arc::new(shared);
            Arc::new(State { shared, ownership: Ownership::default(), alive: Alive::new() })
        });
        self
    }
}

impl Slot for CacheLayer {
    /// It keeps what is stored, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopts = self.state.as_ref().is_none_or(|state| state.ownership.adopt());
        let adopted = if adopts { self } else { self.renewed() };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with what the running cache has stored.
    fn inherit(self, running: &Self) -> Self {
        let Self { config, fetch_limit, call_limit, needs_partition, .. } = self;
        if let Some(state) =
            running.state.as_ref().filter(|_| config.bounds != running.config.bounds)
        {
            state.shared.resize(config.bounds);
        }
        Self { config, fetch_limit, call_limit, needs_partition, ..running.clone() }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
        #[cfg(feature = "cache")]
        if matches!(self.store, Some(StoreKind::InMemory)) {
            super::memory::InMemoryStore::check(self.config.bounds, self.config.body_cap, errors);
        }
    }
}

impl<S, B> Layer<S> for CacheLayer
where
    S: InnerService<Body, ResponseBody = B>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let origin = || Arc::new(ServiceOrigin::new(inner.clone())) as Arc<dyn Origin>;
        let pattern = self.pattern(origin, None);
        Layered::new(Arc::new(pattern), inner)
    }
}

#[cfg(feature = "cache")]
impl Default for CacheLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CacheLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer")
            .field("is_enabled", &self.is_enabled())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// As long as an attempt may take in background work.
const FETCH_LIMIT: Duration = Duration::from_secs(30);
