use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::around::RateLimitPattern;
use super::config::{Learning, OnLimit, Quota, RateLimitConfig};
use super::handle::RateLimitHandle;
use super::keyed::{KeyedRateLimits, LimiterConfig, Limiters};
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
    capacity: Option<Arc<dyn Capacity>>,
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
    /// At most `requests` in `per`, evenly spaced; the provider's limits lower it further. Calls that
    /// come too fast wait or are refused, as [`on_limit`](Self::on_limit) says.
    pub fn new(requests: u32, per: Duration) -> Self {
        Self::learning().requests(requests, per)
    }

    /// No limit of our own: only what the provider reports and refuses counts.
    pub fn learning() -> Self {
        let config = RateLimitConfig::default();
        Self {
            limiter: Arc::new(Limiter::new(&config, None)),
            limiters: None,
            config,
            capacity: None,
            attempt: None,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            clock: Clock::system(),
        }
    }

    /// No limit at all, neither a configured nor a learned one.
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

    /// The name of the provider's account whose rate this is. All instances of a service, and all
    /// integrations, that name the same account share its rate, if they have a fleet (feature `fleet`);
    /// without one, each uses all of it. It needs [`requests`](Self::requests), and can't be
    /// [`keyed`](Self::keyed).
    pub fn account(self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        self.set(|config| config.account = Some(name))
    }

    /// What happens to calls that come faster: refused by default, unless their turn comes in time.
    pub fn on_limit(self, on_limit: OnLimit) -> Self {
        self.set(|config| config.on_limit = on_limit)
    }

    /// The former name of [`on_limit`](Self::on_limit).
    #[doc(hidden)]
    pub fn excess(self, on_limit: OnLimit) -> Self {
        self.on_limit(on_limit)
    }

    /// How many calls may wait for their turn, 65,536 by default; further ones are refused at once.
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

    /// Whether the provider's headers and refusals change the limit; they do by default.
    pub fn learn(self, learning: Learning) -> Self {
        self.set(|config| config.learning = learning)
    }

    /// How long a rate that was found by refusals holds after the last of them.
    ///
    /// With [`OnLimit::Reject`], 10 s by default: after half of it, the rate is raised in steps of a
    /// quarter, and after all of it, the limit is dropped. With [`OnLimit::Shape`], 5 min: after it, the
    /// rate is raised in steps of 3 %, and after twelve times as long, the limit is dropped.
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
        let config = LimiterConfig::new(&self.config, self.capacity.clone());
        self.limiters = Some(Arc::new(Limiters::new(Arc::new(key), most, idle, config)));
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

    /// A handle that reads the limit, and stops all calls for a while. With keys it is of all of
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

    /// Bounds calls [in flight](Self::in_flight) by the capacity further in.
    pub(crate) fn with_capacity(mut self, capacity: Option<Arc<dyn Capacity>>) -> Self {
        self.capacity = capacity;
        self
    }

    /// A call whose turn comes must have time left for an attempt of this length.
    pub(crate) fn reserving(mut self, attempt: Option<Duration>) -> Self {
        self.attempt = attempt;
        self
    }

    /// Whether nothing is limited and nothing learned.
    pub(super) fn is_disabled(&self, limiter: &Limiter) -> bool {
        self.config.learning == Learning::Off && limiter.is_free()
    }

    /// Whether any call may go now.
    pub(super) fn is_free(&self) -> bool {
        self.limiters.is_none() && self.limiter.is_free()
    }

    /// Emits the event of a change that a handle made.
    pub(super) fn tell(&self, event: impl Fn() -> Event) {
        self.limiter.ownership.notify(&self.emitter, event);
    }

    fn set(mut self, set: impl FnOnce(&mut RateLimitConfig)) -> Self {
        set(&mut self.config);
        self.limiter = Arc::new(Limiter::new(&self.config, self.capacity.clone()));
        if let Some(limiters) = &self.limiters {
            let config = LimiterConfig::new(&self.config, self.capacity.clone());
            self.limiters = Some(Arc::new(limiters.renewed(config)));
        }
        self
    }
}

impl Slot for RateLimitLayer {
    /// It keeps the state that it shares with its handles, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.limiter.ownership.adopt() { self } else { self.set(|_| {}) };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with what was learned, spent and queued.
    fn inherit(self, running: &Self) -> Self {
        running.limiter.reconfigure(&self.config, self.capacity.clone());
        if let Some(limiters) = &running.limiters {
            let each = |limiter: &Limiter| limiter.reconfigure(&self.config, self.capacity.clone());
            limiters.reconfigure(|config| config.with(&self.config, self.capacity.clone()), each);
        }
        Self {
            config: self.config,
            capacity: self.capacity,
            attempt: self.attempt,
            ..running.clone()
        }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
        let Some(limiters) = &self.limiters else { return };
        if limiters.most() == 0 {
            errors.add("keyed.most", "no capacity for any key: keep at least one limit");
        }
        if self.config.account.is_some() {
            errors.add(
                "account",
                "an account's rate can't be split by keys: give each account an integration",
            );
        }
    }
}

pattern_layer!(RateLimitLayer => RateLimitPattern, AsIs, |settings| {
    settings.limiter.ownership.subscribe(&settings.emitter);
    RateLimitPattern::new(settings)
});
