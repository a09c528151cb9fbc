use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::around::RateLimitPattern;
use super::config::{Excess, Learning, Quota, RateLimitConfig};
use super::handle::RateLimitHandle;
use super::keyed::{KeyedRateLimits, Limiters, Terms};
use super::limiter::Limiter;
use crate::context::RequestHead;
use crate::event::{Emitter, Event};
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::capacity::Capacity;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::rt::Clock;
use crate::settings::{ConfigError, Errors, validate};

/// Keeps to a provider's rate. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its limit; setting anything
/// makes a new one. So does an integration that was built with it; of several, all do if a handle was
/// taken before, otherwise the first.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RateLimitLayer {
    pub(super) config: RateLimitConfig,
    /// What bounds calls in flight where no number was set.
    room: Option<Arc<dyn Capacity>>,
    /// How long an attempt takes at most, where that is known.
    pub(super) attempt: Option<Duration>,
    /// That of all calls, or what is true of all keys.
    pub(super) limiter: Arc<Limiter>,
    pub(super) limiters: Option<Arc<Limiters>>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

/// A service that keeps to a provider's rate, made by a [`RateLimitLayer`]. The service that it
/// wraps must be `Clone`. While calls wait for their turns, it is ready at once, and asks the
/// service that it wraps when it is a call's turn.
pub type RateLimit<S> = Layered<RateLimitPattern, S>;

impl RateLimitLayer {
    /// At most `requests` in `per`, evenly spaced; what the provider says lowers it further. Those
    /// that come too fast wait or are refused, as [`excess`](Self::excess) says.
    pub fn new(requests: u32, per: Duration) -> Self {
        Self::learning().requests(requests, per)
    }

    /// No limit of our own: only what the provider says and refuses counts.
    pub fn learning() -> Self {
        let config = RateLimitConfig::default();
        Self {
            limiter: Arc::new(Limiter::new(&config, None)),
            limiters: None,
            config,
            room: None,
            attempt: None,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
        }
    }

    /// No limit at all: neither of our own nor by what the provider says.
    pub fn unlimited() -> Self {
        Self::learning().learn(Learning::Off)
    }

    /// At most `requests` in `per`, at least one; neither may be zero.
    pub fn requests(self, requests: u32, per: Duration) -> Self {
        self.set(|config| {
            let burst = config.quota.map_or(1, |quota| quota.burst);
            config.quota = Some(Quota { requests, per, burst });
        })
    }

    /// How many of them may go at once; one by default.
    pub fn burst(self, requests: u32) -> Self {
        self.set(|config| {
            if let Some(quota) = &mut config.quota {
                quota.burst = requests;
            }
        })
    }

    /// What becomes of calls that come faster: refused by default, unless their turn comes in time.
    pub fn excess(self, excess: Excess) -> Self {
        self.set(|config| config.excess = excess)
    }

    /// How many calls may wait for their turn, 65,536 by default; what comes beyond is refused at
    /// once.
    pub fn queue(self, calls: u32) -> Self {
        self.set(|config| config.queue = calls)
    }

    /// How many calls may be past this layer and unanswered; the others wait for their turn here,
    /// in order, rather than in a shorter queue further in. Without a bound by default.
    pub fn in_flight(self, calls: u32) -> Self {
        self.set(|config| config.in_flight = Some(calls))
    }

    /// How long a call may wait for its turn; without, as long as it has time left for an attempt.
    pub fn max_wait(self, limit: Duration) -> Self {
        self.set(|config| config.max_wait = Some(limit))
    }

    /// Whether the provider's word changes the limit; it does by default.
    pub fn learn(self, learning: Learning) -> Self {
        self.set(|config| config.learning = learning)
    }

    /// How long what was found out by refusals holds after the last of them.
    ///
    /// Where calls that come too fast are rejected, 10 s by default: after half of it, more is tried in
    /// steps of a quarter, and after it nothing is limited any more. Where they are shaped, 5 min: after it,
    /// more is tried in steps of 3 %, and after twelve times as long nothing is limited any more.
    pub fn forget_after(self, time: Duration) -> Self {
        self.set(|config| config.forget_after = Some(time))
    }

    /// How long calls wait for the end of a pause that the provider asked for, 10 min by default.
    /// If it is longer, they are refused at once, and none goes before it is over, or before
    /// somebody [forgets](RateLimitHandle::forget) it.
    pub fn pause_cap(self, cap: Duration) -> Self {
        self.set(|config| config.pause_cap = cap)
    }

    /// One limit for each key: a tenant, an account, an endpoint. A provider that limits each of them
    /// refuses one, and the others go on.
    ///
    /// At most `most` are kept; when there are more, those that were idle for longer than `idle` are
    /// forgotten, else one that was used long ago. Each has a queue, a pace and pauses of its own;
    /// [`in_flight`](Self::in_flight) is of all of them together, and each has its turn. Requests whose
    /// `key` panics share one limit.
    ///
    /// ```
    /// use std::time::Duration;
    /// use outrigger::rate_limit::RateLimitLayer;
    ///
    /// let limit = RateLimitLayer::learning().keyed(1_000, Duration::from_secs(3_600), |head| {
    ///     let tenant = head.headers.get("authorization");
    ///     String::from_utf8_lossy(tenant.map_or(b"", |tenant| tenant.as_bytes()))
    /// });
    /// assert_eq!(limit.keyed_handle().map(|limits| limits.keys().len()), Some(0));
    /// ```
    pub fn keyed<F>(mut self, most: usize, idle: Duration, key: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync + 'static,
    {
        let terms = Terms::new(&self.config, self.room.clone());
        self.limiters = Some(Arc::new(Limiters::new(Arc::new(key), most, idle, terms)));
        self.set(|_| {})
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

    /// What dates are measured against where an answer has no `Date` of its own; the system's clock
    /// by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A handle that reads the limits of the keys, where there are keys.
    #[must_use]
    pub fn keyed_handle(&self) -> Option<KeyedRateLimits> {
        self.limiter.ownership.share();
        Some(KeyedRateLimits::new(self.clone(), self.limiters.clone()?))
    }

    /// A handle that reads the limit, and stops everybody for a while. With keys it is of all of
    /// them together.
    #[must_use]
    pub fn handle(&self) -> RateLimitHandle {
        self.limiter.ownership.share();
        RateLimitHandle::new(self.clone())
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("rate_limit", |errors| self.check_into(errors))
    }

    pub(crate) fn with_config(self, config: RateLimitConfig) -> Self {
        self.set(|own| *own = config)
    }

    pub(crate) fn config(&self) -> &RateLimitConfig {
        &self.config
    }

    /// As [`in_flight`](Self::in_flight), by the places that there are further in, once it takes over.
    pub(crate) fn following(mut self, room: Option<Arc<dyn Capacity>>) -> Self {
        self.room = room;
        self
    }

    /// Who has its turn has time left for an attempt of this length.
    pub(crate) fn leaving(mut self, attempt: Option<Duration>) -> Self {
        self.attempt = attempt;
        self
    }

    /// Nothing is limited and nothing learned, and nobody is stopped: calls pass as they come.
    pub(super) fn is_disabled(&self, limiter: &Limiter) -> bool {
        self.config.learning == Learning::Off && limiter.is_free()
    }

    /// Whether a call may pass just now, whichever it is.
    pub(super) fn is_free(&self) -> bool {
        self.limiters.is_none() && self.limiter.is_free()
    }

    /// Tells of what a handle did.
    pub(super) fn tell(&self, event: impl Fn() -> Event) {
        self.limiter.ownership.notify(&self.emitter, event);
    }

    fn set(mut self, set: impl FnOnce(&mut RateLimitConfig)) -> Self {
        set(&mut self.config);
        self.limiter = Arc::new(Limiter::new(&self.config, self.room.clone()));
        if let Some(limiters) = &self.limiters {
            let terms = Terms::new(&self.config, self.room.clone());
            self.limiters = Some(Arc::new(limiters.renewed(terms)));
        }
        self
    }
}

impl Slot for RateLimitLayer {
    /// It has what it shares with its handles, unless that is another integration's.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.limiter.ownership.adopt() { self } else { self.set(|_| {}) };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with what was learned, spent and queued.
    fn inherit(self, running: &Self) -> Self {
        running.limiter.reconfigure(&self.config, self.room.clone());
        if let Some(limiters) = &running.limiters {
            let each = |limiter: &Limiter| limiter.reconfigure(&self.config, self.room.clone());
            limiters.reconfigure(|terms| terms.with(&self.config, self.room.clone()), each);
        }
        Self { config: self.config, room: self.room, attempt: self.attempt, ..running.clone() }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
        if self.limiters.as_ref().is_some_and(|limiters| limiters.most() == 0) {
            errors.add("keyed.most", "no room for any key: keep at least one limit");
        }
    }
}

pattern_layer!(RateLimitLayer => RateLimitPattern, AsIs, |settings| {
    settings.limiter.ownership.subscribe(&settings.emitter);
    RateLimitPattern::new(settings)
});
