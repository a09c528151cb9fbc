use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::adjust::Adjust;
use super::bottom::Bottom;
use super::copies::Copies;
use super::handle::{Integration, Shared};
use super::merged::Merged;
use super::pins::{Pin, Pins};
use super::preset::Preset;
use super::reload::{Baseline, Reload};
use super::request::Endpoint;
use super::settings::Settings;
use super::slots::{AnyPlacement, Slots};
use super::stack::compose;
use super::target::Target;
use crate::body::Body;
use crate::bulkhead::BulkheadLayer;
use crate::cache::CacheLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::control::Registry;
use crate::correlation::CorrelationLayer;
use crate::drift::DriftLayer;
use crate::event::{Emitter, Subscriber};
use crate::fallback::FallbackLayer;
use crate::fault_injection::FaultInjectionLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::{IdempotencyLayer, KeySource, WriteKey};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{Pattern, Wiring};
use crate::rate_limit::RateLimitLayer;
use crate::retry::RetryLayer;
use crate::settings::{ConfigError, ValidationError};
use crate::timeout::TimeoutLayer;
use crate::transport::Transport;
use crate::transport::pool::{PoolHandle, PoolLimits};
use crate::validate::ValidateLayer;

/// Builds an [`Integration`]: a preset's values, adjusted slot by slot.
///
/// ```
/// use std::time::Duration;
/// use outrigger::{Integration, idempotency::{IdempotencyLayer, KeyProfile}};
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let stripe = Integration::user_flow("stripe")
///     .deadline(Duration::from_secs(5))
///     .retry(|retry| retry.max_attempts(2))
///     .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
///     .without_breaker()
///     .build()?;
/// # let _ = stripe;
/// # Ok(()) }
/// ```
///
/// Each slot that can be empty has a `without_`. [`correlation`](Self::correlation) and the
/// [kill switch](Self::kill_switch) are always there: events, errors and controls need them, and
/// correlation keeps `baggage` from leaving.
///
/// Handles come from the integration. Those that were taken from a layer before anything was built
/// with it are handles of every integration that is; one that is taken later is a handle of the first
/// alone. Of what nobody had a handle of then, nothing is shared by two integrations.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct IntegrationBuilder<T> {
    name: Arc<str>,
    preset: Preset,
    pub(super) slots: Slots,
    emitter: Emitter,
    classifier: SharedClassifier,
    registries: Vec<Registry>,
    pub(super) endpoint: Endpoint,
    pub(super) pins: Vec<Pin>,
    pub(super) settings: Settings,
    pub(super) transport: T,
}

/// Where an integration's transport comes from. Sealed: use
/// [`service`](IntegrationBuilder::service) for a transport of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transport that an integration can be built with",
    label = "give it one by `.service(client)` or `.reqwest(client)`, or enable the feature `hyper` for its own"
)]
pub trait Source: sealed::Sealed + Sized {
    /// The transport.
    type Transport: Transport;

    /// Whether it is the integration's own client.
    #[doc(hidden)]
    const IS_OWN: bool = false;

    /// Makes the transport, once everything was found to be right.
    #[doc(hidden)]
    fn make(self, emitter: &Emitter) -> Self::Transport;

    /// The pool of a transport that is ours.
    #[doc(hidden)]
    fn pool(_: &Self::Transport) -> Option<PoolHandle> {
        None
    }

    /// The limits of a pool that is ours.
    #[doc(hidden)]
    fn limits(&self) -> Option<PoolLimits> {
        None
    }

    /// The same with other limits.
    #[doc(hidden)]
    #[must_use]
    fn with_limits(self, _: PoolLimits) -> Self {
        self
    }

    /// The same, for a client that follows redirects: only to these URIs.
    #[doc(hidden)]
    #[must_use]
    fn bounded_by(self, _: impl Fn(&http::Uri) -> bool + Send + Sync + 'static) -> Self {
        self
    }

    #[doc(hidden)]
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// A service that somebody else made.
#[derive(Clone, Debug)]
pub struct Service<S>(pub(super) S);

pub(super) mod sealed {
    pub trait Sealed {}
}

impl<S: Transport> sealed::Sealed for Service<S> {}

impl<S: Transport> Source for Service<S> {
    type Transport = S;

    fn make(self, _: &Emitter) -> S {
        self.0
    }
}

impl<T> IntegrationBuilder<T> {
    pub(super) fn new(name: Arc<str>, preset: Preset, slots: Slots, transport: T) -> Self {
        let emitter = Emitter::named(Arc::clone(&name));
        let (classifier, registries) = (SharedClassifier::default(), Vec::new());
        let (endpoint, settings) = (Endpoint::default(), Settings::default());
        let pins = Vec::new();
        Self {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            transport,
        }
    }

    /// Sends through this service: any `tower::Service` from `http::Request<Body>` to an
    /// `http::Response`.
    ///
    /// Its errors don't prove that nothing was sent, because it may take more than one step. A client
    /// that is known to send one request a call is wrapped into a
    /// [`SingleHop`](crate::transport::SingleHop).
    pub fn service<S: Transport>(self, service: S) -> IntegrationBuilder<Service<S>> {
        self.with_transport(Service(service))
    }

    /// Puts a pattern of your own around every call: it sees what the caller sees, and the call has its
    /// id. The first that is given stands outermost. See [`pattern`](crate::pattern).
    pub fn around_call(mut self, pattern: impl Pattern) -> Self {
        self.slots.around_call.add(pattern);
        self
    }

    /// Puts a pattern of your own around every attempt, under the attempt's time limit. The first that
    /// is given stands outermost. See [`pattern`](crate::pattern).
    pub fn around_attempt(mut self, pattern: impl Pattern) -> Self {
        self.slots.around_attempt.add(pattern);
        self
    }

    /// The URL that relative URIs are joined to: `https://api.stripe.com/v1`. A path, with or without
    /// a slash before it, is put under the base's path; `..` is refused.
    ///
    /// With a base URL, a request to another origin (scheme, host, port) is refused unless
    /// [`allow_origin`](Self::allow_origin) names it: an integration talks to its provider, and sends
    /// its credentials to nobody else. (A client of yours that follows redirects by itself goes where it
    /// is sent: switch that off.) Encode an id that comes from outside before it is a part of a path.
    pub fn base_url(mut self, url: impl AsRef<str>) -> Self {
        self.endpoint.set_base(url.as_ref());
        self
    }

    /// Another origin that requests may go to, beside the base URL's: `https://files.stripe.com`. Default
    /// headers aren't sent there, but for the user agent: they may be credentials.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        self.endpoint.allow_origin(origin.as_ref());
        self
    }

    /// A header for each request that has none of that name. Mark a credential as
    /// [sensitive](http::HeaderValue::set_sensitive); records show none anyway.
    pub fn default_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<http::HeaderName>,
        V: TryInto<http::HeaderValue>,
    {
        self.endpoint.set_header("default_header", name, value);
        self
    }

    /// The `user-agent` of each request that has none. By default, the own client sends
    /// `outrigger/` and the version, because some providers refuse requests without one; other
    /// clients send what they send.
    pub fn user_agent<V: TryInto<http::HeaderValue>>(mut self, value: V) -> Self {
        self.endpoint.set_user_agent(value);
        self
    }

    pub(super) fn with_transport<U>(self, transport: U) -> IntegrationBuilder<U> {
        let Self {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            ..
        } = self;
        IntegrationBuilder {
            name,
            preset,
            slots,
            emitter,
            classifier,
            registries,
            endpoint,
            pins,
            settings,
            transport,
        }
    }

    /// Every call is over within `limit`, body included.
    ///
    /// An attempt's limit that is over it is refused, and so is a connect limit over the attempt's:
    /// lower [`timeout`](Self::timeout) and the client's too, or give single calls less, or more, with a
    /// [`CallDeadline`](crate::context::CallDeadline).
    pub fn deadline(self, limit: Duration) -> Self {
        self.set(|slots| slots.deadline = slots.deadline.clone().with_limit(Some(limit)))
    }

    /// Whether a [`CallDeadline`](crate::context::CallDeadline) may give a single call more time than
    /// [`deadline`](Self::deadline) says: it may, unless this says no.
    pub fn deadline_may_be_lengthened(self, may: bool) -> Self {
        self.set(|slots| slots.deadline = slots.deadline.clone().may_be_lengthened(may))
    }

    /// Adjusts the correlation id.
    pub fn correlation(self, adjust: impl FnOnce(CorrelationLayer) -> CorrelationLayer) -> Self {
        self.set(|slots| slots.correlation = adjust(slots.correlation.clone()))
    }

    /// No limit on a whole call, but for the [`CallDeadline`](crate::context::CallDeadline) of a single
    /// one and the [`Scope`](crate::context::Scope)'s.
    ///
    /// What is lost is the presets' promise that every call ends. Each attempt has its own limit, but
    /// [`background`](Integration::background) repeats a call for as long as the provider fails.
    pub fn without_deadline(self) -> Self {
        self.set(|slots| slots.deadline = slots.deadline.clone().with_limit(None))
    }

    /// Answers in the provider's place, where it has none: a layer, or a function that
    /// [adjusts](Adjust) the one that was given.
    pub fn fallback(self, adjust: impl Adjust<FallbackLayer, Layer = FallbackLayer>) -> Self {
        self.set(|slots| slots.fallback = adjust.adjust(slots.fallback.clone()))
    }

    /// Failures stay failures, as both presets have it.
    pub fn without_fallback(self) -> Self {
        self.fallback(FallbackLayer::disabled())
    }

    /// Answers from what is stored, while it is fresh, or instead of an error: a layer, or a function that
    /// [adjusts](Adjust) the one that was given. See [`cache`](crate::cache).
    pub fn cache(self, adjust: impl Adjust<CacheLayer, Layer = CacheLayer>) -> Self {
        self.set(|slots| slots.cache = adjust.adjust(slots.cache.clone()))
    }

    /// Nothing is stored, as both presets have it.
    pub fn without_cache(self) -> Self {
        self.cache(CacheLayer::disabled())
    }

    /// Adjusts the kill switch. One that was made elsewhere can be given, and is moved by its handles.
    pub fn kill_switch(self, adjust: impl FnOnce(KillSwitchLayer) -> KillSwitchLayer) -> Self {
        self.set(|slots| slots.kill_switch = adjust(slots.kill_switch.clone()))
    }

    /// Copies a share of the calls to another integration, and drops what that answers.
    pub fn mirror(self, layer: MirrorLayer<Integration>) -> Self {
        let target = Target(Some(layer.target().clone()));
        self.set(|slots| slots.mirror = layer.retargeted(target))
    }

    /// No copies, as both presets have it.
    pub fn without_mirror(self) -> Self {
        let preset = self.preset.slots();
        self.set(|slots| slots.mirror = preset.mirror)
    }

    /// Adjusts fault injection; without [`allow`](FaultInjectionLayer::allow) it can't be started.
    pub fn fault_injection(
        self,
        adjust: impl FnOnce(FaultInjectionLayer) -> FaultInjectionLayer,
    ) -> Self {
        self.set(|slots| slots.fault_injection = adjust(slots.fault_injection.clone()))
    }

    /// No fault injection, whatever allowed it before; both presets have none.
    pub fn without_fault_injection(self) -> Self {
        self.fault_injection(|_| FaultInjectionLayer::new())
    }

    /// The former name of [`fault_injection`](Self::fault_injection).
    #[doc(hidden)]
    pub fn rehearsal(
        self,
        adjust: impl FnOnce(FaultInjectionLayer) -> FaultInjectionLayer,
    ) -> Self {
        self.fault_injection(adjust)
    }

    /// How unsafe calls get keys: a layer, or a function that [adjusts](Adjust) the one that is there.
    ///
    /// If the layer doesn't set [key_source](IdempotencyLayer::key_source) or
    /// [methods](IdempotencyLayer::methods), they stay the preset's: naming a provider's profile doesn't
    /// make it generate keys.
    pub fn idempotency<P>(
        self,
        adjust: impl Adjust<IdempotencyLayer<AnyPlacement>, Layer = IdempotencyLayer<P>>,
    ) -> Self
    where
        P: WriteKey<Body> + Clone + Send + Sync + 'static,
    {
        let preset = self.preset.slots().idempotency;
        self.set(|slots| {
            let layer = adjust.adjust(slots.idempotency.clone());
            slots.idempotency = AnyPlacement::of(layer).or(&preset);
        })
    }

    /// No keys but those that callers bring, as in [`user_flow`](Integration::user_flow).
    ///
    /// What is lost is the promise of [`background`](Integration::background): a POST without a key of
    /// its caller's is not repeated unless it was provably not done.
    pub fn without_idempotency(self) -> Self {
        self.idempotency(|keys: IdempotencyLayer<_>| keys.key_source(KeySource::Caller))
    }

    /// Adjusts the retries.
    pub fn retry(self, adjust: impl FnOnce(RetryLayer) -> RetryLayer) -> Self {
        self.set(|slots| slots.retry = adjust(slots.retry.clone()))
    }

    /// One attempt, and no more, but for a call whose [token](Self::token) was refused, or the time of its
    /// [signature](Self::sign).
    pub fn without_retry(self) -> Self {
        self.retry(|retry| retry.max_attempts(1))
    }

    /// Sends a second request beside one that is slow, out of the retries' budget: a layer, or a
    /// function that [adjusts](Adjust) the one that was given.
    pub fn hedge(self, adjust: impl Adjust<HedgeLayer, Layer = HedgeLayer>) -> Self {
        self.set(|slots| slots.hedge = adjust.adjust(slots.hedge.clone()))
    }

    /// No second requests, as both presets have it.
    pub fn without_hedge(self) -> Self {
        self.hedge(HedgeLayer::disabled())
    }

    /// Adjusts the circuit breaker.
    pub fn breaker(self, adjust: impl FnOnce(CircuitBreakerLayer) -> CircuitBreakerLayer) -> Self {
        self.set(|slots| slots.circuit_breaker = adjust(slots.circuit_breaker.clone()))
    }

    /// No circuit breaker.
    pub fn without_breaker(self) -> Self {
        self.set(|slots| slots.circuit_breaker = CircuitBreakerLayer::disabled())
    }

    /// Adjusts the rate limit.
    pub fn rate_limit(self, adjust: impl FnOnce(RateLimitLayer) -> RateLimitLayer) -> Self {
        self.set(|slots| slots.rate_limit = adjust(slots.rate_limit.clone()))
    }

    /// No rate limit, whatever the provider says.
    pub fn without_rate_limit(self) -> Self {
        self.set(|slots| slots.rate_limit = RateLimitLayer::unlimited())
    }

    /// Adjusts the bulkhead.
    pub fn bulkhead(self, adjust: impl FnOnce(BulkheadLayer) -> BulkheadLayer) -> Self {
        self.set(|slots| slots.bulkhead = adjust(slots.bulkhead.clone()))
    }

    /// No bound on concurrency.
    pub fn without_bulkhead(self) -> Self {
        self.set(|slots| slots.bulkhead = BulkheadLayer::unlimited())
    }

    /// Adjusts the limits on one attempt.
    pub fn timeout(self, adjust: impl FnOnce(TimeoutLayer) -> TimeoutLayer) -> Self {
        self.set(|slots| slots.timeout = adjust(slots.timeout.clone()))
    }

    /// No limits on one attempt: only the deadline ends it.
    ///
    /// What is lost is the second attempt at a provider that hangs: the first takes all of the call's
    /// time.
    pub fn without_timeout(self) -> Self {
        self.timeout(|_| TimeoutLayer::new())
    }

    /// Checks answers before they count as successes: a layer, or a function that [adjusts](Adjust) the one
    /// that was given. See [`validate`](crate::validate).
    pub fn validate(self, adjust: impl Adjust<ValidateLayer, Layer = ValidateLayer>) -> Self {
        self.set(|slots| slots.validate = adjust.adjust(slots.validate.clone()))
    }

    /// Answers mean what their statuses say, as both presets have it.
    pub fn without_validate(self) -> Self {
        self.validate(ValidateLayer::new())
    }

    /// Notices what answers show of a change of the provider's API. See [`drift`](crate::drift).
    pub fn drift(self, layer: DriftLayer) -> Self {
        self.set(|slots| slots.drift = layer)
    }

    /// Answers are not watched, as both presets have it.
    pub fn without_drift(self) -> Self {
        self.drift(DriftLayer::disabled())
    }

    /// A body that is silent for `limit` while it is being read has failed.
    pub fn idle_timeout(self, limit: Duration) -> Self {
        self.set(|slots| slots.idle_timeout = IdleTimeoutLayer::new(limit))
    }

    /// Bodies may be silent for as long as the deadline lets them.
    pub fn without_idle_timeout(self) -> Self {
        self.set(|slots| slots.idle_timeout = IdleTimeoutLayer::unlimited())
    }

    /// What results mean, for every layer.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// Is told of every event.
    pub fn subscriber(mut self, subscriber: impl Subscriber) -> Self {
        self.emitter = self.emitter.with(subscriber);
        self
    }

    /// Makes the integration known to a registry once it is built, and tells the registry's
    /// [subscribers](Registry::subscriber) of every event: those that it has by then.
    pub fn register(mut self, registry: &Registry) -> Self {
        self.registries.push(registry.clone());
        self
    }

    pub(super) fn set(mut self, set: impl FnOnce(&mut Slots)) -> Self {
        set(&mut self.slots);
        self
    }
}

impl<T: Source> IntegrationBuilder<T> {
    /// Checks all settings together and composes the stack.
    ///
    /// # Errors
    ///
    /// When settings can't work: every one of them is named, with what to do.
    pub fn build(mut self) -> Result<Integration, ConfigError> {
        self.check()?;
        self.bind_credentials();
        // A cloned builder makes another integration, not another handle on the same one. What is
        // refused is none: it has no layer.
        let of_registries = self.registries.iter().flat_map(Registry::subscribers);
        let emitter = of_registries.fold(self.emitter, Emitter::with_shared);
        let wiring = Wiring { emitter: emitter.clone(), classifier: self.classifier };
        #[cfg(feature = "outbox")]
        let classifier = wiring.classifier.clone();
        let slots = self.slots.adopt(&wiring);
        let mut base = Baseline { preset: self.preset, slots, limits: self.transport.limits() };
        let Merged { slots, limits } = self.settings.merge(&base, &mut Vec::new());
        let snapshot = base.slots.snapshot();
        let slots = slots.inherit(&base.slots);
        base.slots = snapshot;

        let transport = match limits {
            Some(limits) => self.transport.with_limits(limits),
            None => self.transport,
        };
        let origins = self.endpoint.clone();
        let transport = transport.bounded_by(move |uri| origins.allows(uri)).make(&emitter);
        let pool = T::pool(&transport);
        let mut endpoint = self.endpoint;
        if T::IS_OWN {
            endpoint.default_user_agent();
        }
        let captures = emitter.interest().body_cap().is_some();
        let pins = Arc::new(Pins::new(self.pins, &emitter));
        let watched = pins.are_told().then(|| Arc::clone(&pins));
        let compose = move |slots: &Slots| {
            compose(slots, &wiring, watched.clone(), Bottom::new(transport.clone(), captures))
        };
        let integration = Integration {
            shared: Arc::new(Shared {
                name: self.name,
                live: Reload::new(base, slots, compose),
                emitter,
                #[cfg(feature = "outbox")]
                classifier,
                pool,
                last_change: Mutex::default(),
                endpoint,
                pins,
                copies: Copies::default(),
            }),
        };
        self.registries.iter().for_each(|registry| integration.register(registry));
        Ok(integration)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (slots, limits) = (self.slots.clone(), self.transport.limits());
        let base = Baseline { preset: self.preset, slots, limits };
        let mut found: Vec<ValidationError> = self.endpoint.mistakes();
        found.extend(self.pin_mistakes());
        self.settings.merge(&base, &mut found);
        if let Err(error) = self.transport.check() {
            // The limits are named already, as they are with the settings laid over them.
            let is_news = |mistake: &&ValidationError| found.iter().all(|known| known != *mistake);
            let news: Vec<_> = error.errors().iter().filter(is_news).cloned().collect();
            found.extend(news);
        }
        ConfigError::check(Some(&self.name), found)
    }
}
