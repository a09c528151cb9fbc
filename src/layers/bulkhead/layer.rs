use std::sync::Arc;
use std::time::Duration;

use super::adaptive::Adaptive;
use super::around::BulkheadPattern;
use super::config::{BulkheadConfig, PlacesConfig};
use super::handle::{BulkheadHandle, QueueWait};
use super::limit::{Limit, Priority, Share};
use super::places::Places;
use super::queue::Standing;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::capacity::Capacity;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::settings::{ConfigError, Errors, validate};

/// Bounds concurrency. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its places. So does an
/// integration that was built with it; of several, all do if a handle was taken before, otherwise the
/// first. What is meant to be shared is a [`Limit`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BulkheadLayer {
    pub(super) places: Arc<Places>,
    pub(super) priority: Priority,
    pub(super) standing: Standing,
    pub(super) queue_wait: QueueWait,
    /// How long an attempt takes at most, where that is known.
    pub(super) attempt: Option<Duration>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    /// The limit whose places these are, where they aren't the layer's own.
    shared: Option<Limit>,
    /// What was set here and is the shared limit's to set.
    misplaced: Option<&'static str>,
}

/// A service whose concurrency is bounded, made by a [`BulkheadLayer`]. The service that it wraps
/// must be `Clone`.
pub type Bulkhead<S> = Layered<BulkheadPattern, S>;

impl BulkheadLayer {
    /// At most `concurrency` calls at a time, from when they are sent to the end of their answers'
    /// bodies; the others are refused at once, unless there is a [`queue`](Self::queue).
    pub fn new(concurrency: u32) -> Self {
        Self::unlimited().concurrency(concurrency)
    }

    /// No bound: calls pass as they come, and nobody counts them.
    pub fn unlimited() -> Self {
        Self {
            places: Arc::new(Places::new(PlacesConfig::default())),
            priority: Priority::default(),
            standing: Standing::default(),
            queue_wait: QueueWait::default(),
            attempt: None,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            shared: None,
            misplaced: None,
        }
    }

    /// A bound that others share, with this priority among them.
    pub fn shared(limit: Limit, priority: Priority) -> Self {
        Self::unlimited().limit(limit, priority)
    }

    /// How many calls may be under way, at least one. It takes the place of a shared limit, its
    /// queue included.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        if self.shared.take().is_some() {
            (self.priority, self.misplaced) = (Priority::default(), None);
            self.places = Arc::new(Places::new(PlacesConfig::default()));
        }
        self.set("concurrency", |config| config.concurrency = Some(concurrency))
    }

    /// How many calls may wait for a place, first come, first served; 0 by default. What comes when
    /// all of these spots are taken is refused at once, as
    /// [`Full`](crate::outcome::Rejection::Full).
    pub fn queue(self, calls: u32) -> Self {
        self.set("queue", |config| config.queue = calls)
    }

    /// How long a call may wait for a place; then it is refused, as
    /// [`QueueTimeout`](crate::outcome::Rejection::QueueTimeout).
    ///
    /// Without this, it waits for half of the time to its deadline at most, so that an attempt
    /// still has time; without a deadline either, for as long as its caller does.
    pub fn queue_wait(mut self, limit: Duration) -> Self {
        self.queue_wait = QueueWait::new(Some(limit));
        self
    }

    /// Shares this limit's places, and its queue, with whoever else has it.
    ///
    /// It takes the place of [`concurrency`](Self::concurrency), [`queue`](Self::queue) and
    /// [`adaptive`](Self::adaptive); how long a call may wait is still this bulkhead's own affair.
    pub fn limit(mut self, limit: Limit, priority: Priority) -> Self {
        self.places = Arc::clone(limit.places());
        (self.shared, self.priority, self.misplaced) = (Some(limit), priority, None);
        self
    }

    /// Moves the number of places with what the provider can take, within the bounds of `adaptive`;
    /// it begins as [`concurrency`](Self::concurrency).
    pub fn adaptive(self, adaptive: Adaptive) -> Self {
        self.set("adaptive", |config| config.adaptive = Some(adaptive))
    }

    /// What results mean, for an adaptive limit.
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

    /// A handle that reads how many places are taken, and how many calls wait.
    #[must_use]
    pub fn handle(&self) -> BulkheadHandle {
        self.places.ownership.share();
        self.reader()
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("bulkhead", |errors| self.check_into(errors))
    }

    /// The same layer, with places of its own, unless it was told to share another's.
    fn unshared(self) -> Self {
        let queue_wait = self.queue_wait.apart();
        let places = match self.shared {
            Some(_) => Arc::clone(&self.places),
            None => Arc::new(Places::new(self.places.config())),
        };
        Self { places, queue_wait, ..self }
    }

    /// The room that its calls find, where it is bounded.
    pub(crate) fn room(&self) -> Option<Arc<dyn Capacity>> {
        let (places, priority) = (Arc::clone(&self.places), self.priority);
        self.places.limit().map(|_| Arc::new(Share { places, priority }) as Arc<dyn Capacity>)
    }

    /// Calls come from a queue further out that follows this [`room`](Self::room): one that finds no
    /// place after all waits for it, however long the queue in here is.
    pub(crate) fn fed(mut self) -> Self {
        self.standing = Standing::Extra;
        self
    }

    /// Who has a place has time left for an attempt of this length.
    pub(crate) fn leaving(mut self, attempt: Option<Duration>) -> Self {
        self.attempt = attempt;
        self
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The same under other settings; of a shared limit, only the wait is this bulkhead's.
    pub(crate) fn with_config(self, config: &BulkheadConfig) -> Self {
        let unshared = self.unshared();
        unshared.reader().reconfigure(config);
        unshared
    }

    /// What it is set to.
    pub(crate) fn config(&self) -> BulkheadConfig {
        self.reader().config()
    }

    /// A handle that nobody counts on.
    fn reader(&self) -> BulkheadHandle {
        let is_shared = self.shared.is_some();
        BulkheadHandle::new(Arc::clone(&self.places), self.queue_wait.clone(), is_shared)
    }

    fn set(mut self, setting: &'static str, set: impl FnOnce(&mut PlacesConfig)) -> Self {
        if self.shared.is_some() {
            self.misplaced = Some(setting);
            return self;
        }
        let mut config = self.places.config();
        set(&mut config);
        self.places = Arc::new(Places::new(config));
        self
    }
}

impl Slot for BulkheadLayer {
    /// It has these places, unless they are another's and not meant to be shared.
    fn adopt(self, wiring: &Wiring) -> Self {
        let is_own = self.shared.is_none() && self.places.ownership.adopt();
        let adopted = if is_own { self } else { self.unshared() };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with the places that are in use.
    fn inherit(self, running: &Self) -> Self {
        running.reader().reconfigure(&self.config());
        Self { standing: self.standing, attempt: self.attempt, ..running.clone() }
    }

    /// The places have settings too, so it has others.
    fn snapshot(&self) -> Self {
        self.clone().unshared()
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        match &self.shared {
            Some(limit) => limit.check_into(errors),
            None => self.places.config().check_into("concurrency", "adaptive", errors),
        }
        if let Some(setting) = self.misplaced {
            errors.add(
                setting,
                "it is the shared limit's: set it there, or before the limit is given",
            );
        }
        if self.places.config().queue > 0 {
            errors.refuse_zero("queue_wait", self.queue_wait.get());
        }
    }
}

pattern_layer!(BulkheadLayer => BulkheadPattern, AsIs, |settings| BulkheadPattern::new(settings));
