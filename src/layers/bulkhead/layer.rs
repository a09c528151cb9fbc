use std::sync::Arc;
use std::time::Duration;

use super::adaptive::Adaptive;
use super::around::BulkheadPattern;
use super::config::{BulkheadConfig, PermitsConfig};
use super::handle::{BulkheadHandle, QueueWait};
use super::limit::{Limit, Priority, Share};
use super::permits::Permits;
use super::queue::QueueSlot;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::capacity::Capacity;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::settings::{ConfigError, Errors, validate};

/// Bounds concurrency. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its permits. So does an
/// integration that was built with it; of several, all do if a handle was taken before, otherwise the
/// first. What is meant to be shared is a [`Limit`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BulkheadLayer {
    pub(super) permits: Arc<Permits>,
    pub(super) priority: Priority,
    pub(super) queue_slot: QueueSlot,
    pub(super) queue_wait: QueueWait,
    /// How long an attempt takes at most, where that is known.
    pub(super) attempt: Option<Duration>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    /// The limit that the permits belong to, if they are shared.
    shared: Option<Limit>,
    /// A setting that was made here although it belongs to the shared limit.
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

    /// No bound: calls pass as they come, and aren't counted.
    pub fn unlimited() -> Self {
        Self {
            permits: Arc::new(Permits::new(PermitsConfig::default())),
            priority: Priority::default(),
            queue_slot: QueueSlot::default(),
            queue_wait: QueueWait::default(),
            attempt: None,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            shared: None,
            misplaced: None,
        }
    }

    /// A shared bound, with this priority.
    pub fn shared(limit: Limit, priority: Priority) -> Self {
        Self::unlimited().limit(limit, priority)
    }

    /// How many calls may be in flight, at least one. It replaces a shared limit and its queue.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        if self.shared.take().is_some() {
            (self.priority, self.misplaced) = (Priority::default(), None);
            self.permits = Arc::new(Permits::new(PermitsConfig::default()));
        }
        self.set("concurrency", |config| config.concurrency = Some(concurrency))
    }

    /// How many calls may wait for a permit, first come, first served; 0 by default. Further calls are
    /// refused at once, as
    /// [`Full`](crate::outcome::Rejection::Full).
    pub fn queue(self, calls: u32) -> Self {
        self.set("queue", |config| config.queue = calls)
    }

    /// How long a call may wait for a permit; then it is refused, as
    /// [`QueueTimeout`](crate::outcome::Rejection::QueueTimeout).
    ///
    /// Without this setting, it waits for at most half of the time to its deadline, so that an attempt
    /// still has time; without a deadline, for as long as its caller does.
    pub fn queue_wait(mut self, limit: Duration) -> Self {
        self.queue_wait = QueueWait::new(Some(limit));
        self
    }

    /// Uses this limit's permits and its queue, which others share.
    ///
    /// It replaces [`concurrency`](Self::concurrency), [`queue`](Self::queue) and
    /// [`adaptive`](Self::adaptive); how long a call may wait is still this bulkhead's setting.
    pub fn limit(mut self, limit: Limit, priority: Priority) -> Self {
        self.permits = Arc::clone(limit.permits());
        (self.shared, self.priority, self.misplaced) = (Some(limit), priority, None);
        self
    }

    /// Adapts the number of permits to the provider, within the bounds of `adaptive`. It begins with
    /// [`concurrency`](Self::concurrency).
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

    /// A handle that reads how many permits are in use, and how many calls wait.
    #[must_use]
    pub fn handle(&self) -> BulkheadHandle {
        self.permits.ownership.share();
        self.reader()
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("bulkhead", |errors| self.check_into(errors))
    }

    /// The same layer with permits of its own, unless its limit is shared.
    fn unshared(self) -> Self {
        let queue_wait = self.queue_wait.unshared();
        let permits = match self.shared {
            Some(_) => Arc::clone(&self.permits),
            None => Arc::new(Permits::new(self.permits.config())),
        };
        Self { permits, queue_wait, ..self }
    }

    /// The capacity for its calls, if it is bounded.
    pub(crate) fn capacity(&self) -> Option<Arc<dyn Capacity>> {
        let (permits, priority) = (Arc::clone(&self.permits), self.priority);
        self.permits.limit().map(|_| Arc::new(Share { permits, priority }) as Arc<dyn Capacity>)
    }

    /// For calls that come from a queue further out that keeps to this [`capacity`](Self::capacity): a
    /// call that still finds no permit waits for one, even if the queue in here is full.
    pub(crate) fn exempt_from_queue_limit(mut self) -> Self {
        self.queue_slot = QueueSlot::Exempt;
        self
    }

    /// A call that acquires a permit must have time left for an attempt of this length.
    pub(crate) fn reserving(mut self, attempt: Option<Duration>) -> Self {
        self.attempt = attempt;
        self
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The same layer with other settings. If the limit is shared, only the wait is set.
    pub(crate) fn with_config(self, config: &BulkheadConfig) -> Self {
        let unshared = self.unshared();
        unshared.reader().reconfigure(config);
        unshared
    }

    /// What it is set to.
    pub(crate) fn config(&self) -> BulkheadConfig {
        self.reader().config()
    }

    /// A handle that doesn't mark the permits as shared.
    fn reader(&self) -> BulkheadHandle {
        let is_shared = self.shared.is_some();
        BulkheadHandle::new(Arc::clone(&self.permits), self.queue_wait.clone(), is_shared)
    }

    fn set(mut self, setting: &'static str, set: impl FnOnce(&mut PermitsConfig)) -> Self {
        if self.shared.is_some() {
            self.misplaced = Some(setting);
            return self;
        }
        let mut config = self.permits.config();
        set(&mut config);
        self.permits = Arc::new(Permits::new(config));
        self
    }
}

impl Slot for BulkheadLayer {
    /// It keeps its permits, unless another integration has them and they aren't meant to be shared.
    fn adopt(self, wiring: &Wiring) -> Self {
        let is_own = self.shared.is_none() && self.permits.ownership.adopt();
        let adopted = if is_own { self } else { self.unshared() };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with the permits that are in use.
    fn inherit(self, running: &Self) -> Self {
        running.reader().reconfigure(&self.config());
        Self { queue_slot: self.queue_slot, attempt: self.attempt, ..running.clone() }
    }

    /// A copy with permits of its own, because they hold settings too.
    fn snapshot(&self) -> Self {
        self.clone().unshared()
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        match &self.shared {
            Some(limit) => limit.check_into(errors),
            None => self.permits.config().check_into("concurrency", "adaptive", errors),
        }
        if let Some(setting) = self.misplaced {
            errors.add(
                setting,
                "it is the shared limit's: set it there, or before the limit is given",
            );
        }
        if self.permits.config().queue > 0 {
            errors.refuse_zero("queue_wait", self.queue_wait.get());
        }
    }
}

pattern_layer!(BulkheadLayer => BulkheadPattern, AsIs, |settings| BulkheadPattern::new(settings));
