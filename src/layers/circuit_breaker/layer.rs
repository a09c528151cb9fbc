use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::around::CircuitBreakerPattern;
use super::breaker::Breaker;
use super::config::{BreakerConfig, Consecutive, Mode, SlowRule, Throttled, WhenOpen, WindowSize};
use super::handle::{BreakerHandle, KeyedBreakers};
use super::keyed::BreakerMap;
use super::shared::SharedBreaker;
use crate::context::RequestHead;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::ownership::Ownership;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::rt::{self, Rng};
use crate::settings::{ConfigError, Errors, Ratio, validate};

/// Stops calling a provider that is down. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its breaker, and so do its
/// handles. Setting anything afterwards makes a new breaker. An integration that was built with it
/// shares it too; of several, all do if a handle was taken before, otherwise the first.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CircuitBreakerLayer {
    pub(super) config: Option<BreakerConfig>,
    pub(super) map: Option<Arc<BreakerMap>>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
    /// The breaker's state; made when it is first needed.
    shared: Arc<OnceLock<Arc<SharedBreaker>>>,
    pub(super) ownership: Arc<Ownership>,
}

/// A service that is not called while its provider is down, made by a [`CircuitBreakerLayer`]. The
/// service that it wraps must be `Clone`. While it refuses or holds calls, and always with keys, it
/// is ready at once, and asks the service that it wraps only for a call that goes out.
pub type CircuitBreaker<S> = Layered<CircuitBreakerPattern, S>;

impl CircuitBreakerLayer {
    /// A breaker with the defaults.
    pub fn new() -> Self {
        Self { config: Some(BreakerConfig::default()), ..Self::disabled() }
    }

    /// No breaker: calls pass as they come.
    pub fn disabled() -> Self {
        Self {
            config: None,
            map: None,
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            rng: Rng::system(),
            shared: Arc::default(),
            ownership: Arc::default(),
        }
    }

    /// Rules over a window look at the results of the last `length`, 30 s by default, exact to a
    /// 32nd of it.
    pub fn window(self, length: Duration) -> Self {
        self.set(|config| config.window = WindowSize::Time(length))
    }

    /// Rules over a window look at the results of the last `calls`, whenever they were; a million
    /// at most.
    pub fn window_of_calls(self, calls: u32) -> Self {
        self.set(|config| config.window = WindowSize::Calls(calls))
    }

    /// Opens when at least this share of the window's calls failed, and it holds at least `minimum`
    /// of them. Off by default: while half of the calls fail, the other half still is of use.
    pub fn failure_rate(self, rate: Ratio, minimum: u32) -> Self {
        self.set(|config| (config.failure_rate, config.minimum) = (Some(rate), minimum))
    }

    /// Doesn't look at the failure rate, which is the default.
    pub fn without_failure_rate(self) -> Self {
        self.set(|config| config.failure_rate = None)
    }

    /// Opens when the window holds so many failures, however many calls it holds: so many of the last
    /// calls, or so many within a time.
    pub fn failures(self, failures: u32) -> Self {
        self.set(|config| config.failures = Some(failures))
    }

    /// Opens when at least this share of the window's calls took longer than `over` to the response
    /// head, and it holds as many as [`minimum`](Self::minimum) says. Off by default.
    pub fn slow_calls(self, over: Duration, rate: Ratio) -> Self {
        self.set(|config| config.slow = Some(SlowRule { over, rate }))
    }

    /// How many calls the window must hold before its rates mean anything; 20 by default, at least
    /// 1.
    pub fn minimum(self, calls: u32) -> Self {
        self.set(|config| config.minimum = calls)
    }

    /// Opens on so many failures in a row, ten by default, once nothing has succeeded for
    /// [`no_success_for`](Self::no_success_for). Any success ends the row.
    pub fn consecutive(self, consecutive: Consecutive) -> Self {
        self.set(|config| config.consecutive = Some(consecutive))
    }

    /// Doesn't look at failures in a row; then there must be a rule over a window.
    pub fn without_consecutive(self) -> Self {
        self.set(|config| config.consecutive = None)
    }

    /// Failures in a row open it only if nothing has succeeded for so long, counted from when the
    /// first of them was sent; 2 s by default. With zero, their number alone decides.
    pub fn no_success_for(self, time: Duration) -> Self {
        self.set(|config| config.no_success_for = time)
    }

    /// Whether calls are refused or wait while nothing answers; refused by default.
    pub fn when_open(self, when_open: WhenOpen) -> Self {
        self.set(|config| config.when_open = when_open)
    }

    /// How long it takes from opening to the first probe, and from one round of probes to the next:
    /// `base`, 450 ms by default, and as [`open_growth`](Self::open_growth) says more up to `cap`,
    /// a minute by default. The jitter never goes over `cap`.
    pub fn open_for(self, base: Duration, cap: Duration) -> Self {
        self.set(|config| {
            (config.open_for, config.open_cap) = (base, cap);
            config.open_times.clear();
        })
    }

    /// The same as a list, one time for each round; the last one repeats. It takes the place of
    /// [`open_for`](Self::open_for) and [`open_growth`](Self::open_growth).
    pub fn open_times(self, times: impl IntoIterator<Item = Duration>) -> Self {
        let times: Vec<_> = times.into_iter().collect();
        self.set(|config| config.open_times = times)
    }

    /// What the open time is multiplied by from one round of probes to the next, from 1 on; 1, the
    /// default, keeps it.
    pub fn open_growth(self, growth: f64) -> Self {
        self.set(|config| config.open_growth = growth)
    }

    /// How far the open time is spread to either side, so that many instances don't probe at once;
    /// 10 % by default, 100 % at most.
    pub fn open_jitter(self, jitter: Ratio) -> Self {
        self.set(|config| config.open_jitter = jitter)
    }

    /// The longest that a `Retry-After` can put off the next probe; 10 s by default.
    pub fn retry_after_cap(self, cap: Duration) -> Self {
        self.set(|config| config.retry_after_cap = cap)
    }

    /// How many probes go in one round, and how many of them must succeed to close it; one and one
    /// by default.
    pub fn probes(self, probes: u32, successes: u32) -> Self {
        self.set(|config| (config.probes, config.probe_successes) = (probes, successes))
    }

    /// How long a probe keeps others back; 1 s by default. One that takes longer still counts when
    /// it ends.
    pub fn probe_limit(self, limit: Duration) -> Self {
        self.set(|config| config.probe_limit = limit)
    }

    /// How long a call must have waited for the provider before its caller's leaving counts as a
    /// failure; 1 s by default. Of one that leaves sooner, nothing is known.
    pub fn abandoned_after(self, waited: Duration) -> Self {
        self.set(|config| config.abandoned_after = waited)
    }

    /// What a throttled answer (429) speaks against; only against a probe by default.
    pub fn throttled(self, throttled: Throttled) -> Self {
        self.set(|config| config.throttled = throttled)
    }

    /// Whether it acts on what it finds, as it does by default, or only tells what it would have
    /// refused.
    pub fn mode(self, mode: Mode) -> Self {
        self.set(|config| config.mode = mode)
    }

    /// One breaker for each key: a host, an endpoint, a tenant.
    ///
    /// At most `most` are kept; when there are more, those that were idle for longer than `idle` are
    /// forgotten, else the one that was used longest ago. Requests whose `key` panics share one breaker.
    pub fn keyed<F>(mut self, most: usize, idle: Duration, key: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync + 'static,
    {
        let config = self.config.clone().unwrap_or_default();
        self.map = Some(Arc::new(BreakerMap::new(Arc::new(key), most, idle, config)));
        self.renewed()
    }

    /// What results mean.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self.renewed()
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self.renewed()
    }

    /// What draws the jitter of the open time; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self.renewed()
    }

    /// A handle that reads and overrides the breaker. With keys, see [`Self::keyed_handle`].
    #[must_use]
    pub fn handle(&self) -> BreakerHandle {
        self.ownership.share();
        BreakerHandle::new(self.breaker())
    }

    /// A handle that reads the breakers of the keys, where there are keys.
    #[must_use]
    pub fn keyed_handle(&self) -> Option<KeyedBreakers> {
        self.ownership.share();
        self.map.clone().filter(|_| self.config.is_some()).map(KeyedBreakers::new)
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("circuit_breaker", |errors| self.check_into(errors))
    }

    pub(crate) fn with_config(mut self, config: Option<BreakerConfig>) -> Self {
        self.config = config;
        self.renewed()
    }

    pub(crate) fn config(&self) -> Option<&BreakerConfig> {
        self.config.as_ref()
    }

    pub(crate) fn window_time(&self) -> Option<Duration> {
        self.config.as_ref()?.window_time()
    }

    /// The one breaker, if there is one and no keys.
    pub(super) fn breaker(&self) -> Option<Arc<Breaker>> {
        let config = self.config.as_ref().filter(|_| self.map.is_none())?;
        let make = || Arc::new(SharedBreaker::new(config.clone(), rt::now()));
        let shared = Arc::clone(self.shared.get_or_init(make));
        Some(Arc::new(Breaker::new(self, shared)))
    }

    fn set(mut self, set: impl FnOnce(&mut BreakerConfig)) -> Self {
        set(self.config.get_or_insert_with(BreakerConfig::default));
        self.renewed()
    }

    /// Detaches this layer from a state that was made with other settings.
    fn renewed(mut self) -> Self {
        (self.shared, self.ownership) = (Arc::default(), Arc::default());
        if let Some(map) = &self.map {
            let config = self.config.clone().unwrap_or_default();
            self.map = Some(Arc::new(map.renewed(config)));
        }
        self
    }
}

impl Slot for CircuitBreakerLayer {
    /// It keeps the state that it shares with its handles, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.ownership.adopt() { self } else { self.renewed() };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with the breakers that are in use. Their states are kept, and so are the
    /// results if the window is the same. If these settings switch the breaker off, the breakers are
    /// kept for when it is switched on again.
    fn inherit(self, running: &Self) -> Self {
        if let Some(config) = &self.config {
            if let Some(map) = &running.map {
                map.reconfigure(|_| config.clone(), |breaker| breaker.reconfigure(config.clone()));
            }
            if let Some(shared) = running.shared.get() {
                Breaker::new(running, Arc::clone(shared)).reconfigure(config.clone());
            }
        }
        Self { config: self.config, ..running.clone() }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        if let Some(config) = &self.config {
            config.check_into(errors);
        }
        if self.map.as_ref().is_some_and(|map| map.most() == 0) {
            errors.add("keyed.most", "no room for any key: keep at least one breaker");
        }
    }
}

impl Default for CircuitBreakerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CircuitBreakerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer").field("config", &self.config).finish_non_exhaustive()
    }
}

pattern_layer!(CircuitBreakerLayer => CircuitBreakerPattern, AsIs, |settings| {
    settings.ownership.subscribe(&settings.emitter);
    CircuitBreakerPattern::new(settings)
});
