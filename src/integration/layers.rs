//! The builder's methods for each layer of the stack.

use std::time::Duration;

use super::adjust::Adjust;
use super::builder::IntegrationBuilder;
use super::handle::Integration;
use super::slots::AnyPlacement;
use super::target::Target;
use crate::body::Body;
use crate::bulkhead::BulkheadLayer;
use crate::cache::CacheLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::correlation::CorrelationLayer;
use crate::drift::DriftLayer;
use crate::fallback::FallbackLayer;
use crate::fault_injection::FaultInjectionLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::{IdempotencyLayer, KeySource, WriteKey};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::rate_limit::RateLimitLayer;
use crate::retry::RetryLayer;
use crate::timeout::TimeoutLayer;
use crate::validate::ValidateLayer;

impl<T> IntegrationBuilder<T> {
    /// Every call is over within `limit`, body included.
    ///
    /// An attempt's limit that is over it is refused, and so is a connect limit over the attempt's:
    /// lower [`timeout`](Self::timeout) and the client's too, or give single calls less, or more, with a
    /// [`CallDeadline`](crate::context::CallDeadline).
    #[doc(alias = "timeout")]
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
    #[doc(alias = "read_timeout")]
    pub fn idle_timeout(self, limit: Duration) -> Self {
        self.set(|slots| slots.idle_timeout = IdleTimeoutLayer::new(limit))
    }

    /// Bodies may be silent for as long as the deadline lets them.
    pub fn without_idle_timeout(self) -> Self {
        self.set(|slots| slots.idle_timeout = IdleTimeoutLayer::unlimited())
    }
}
