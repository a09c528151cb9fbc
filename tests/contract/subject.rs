use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use outrigger::BoxError;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::cache::{CacheEntry, CacheKey, CacheLayer, CacheStore};
use outrigger::circuit_breaker::{CircuitBreaker, CircuitBreakerLayer, Consecutive};
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::drift::DriftLayer;
use outrigger::event::{BreakerState, Emitter, Event};
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::FaultInjectionLayer;
use outrigger::hedge::{HedgeCounts, HedgeLayer};
use outrigger::idempotency::IdempotencyLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::observe::{Observe, ObserveLayer};
use outrigger::rate_limit::RateLimitLayer;
use outrigger::retry::RetryLayer;
use outrigger::sign::{Sign, SignError, SignLayer, Signed, SigningInput};
use outrigger::testing::EventRecorder;
use outrigger::timeout::TimeoutLayer;
use outrigger::token::TokenLayer;
use outrigger::validate::ValidateLayer;
use tower::{Layer, Service, ServiceExt};

use crate::provider::{Fault, Provider};

/// A layer that the contract is checked on.
pub(crate) trait Subject {
    /// Whether what the inner service fails of comes out as `outrigger::Error`.
    const OWN_ERRORS: bool = true;

    /// Brings it into the state that it is checked in.
    async fn prepare(&self) {}

    /// Panics if a call that is over still holds anything.
    fn assert_nothing_held(&self) {}
}

/// A service as a layer makes it, `Send`, `Sync` and all.
pub(crate) trait Wrapped<B>:
    Service<
        Request<B>,
        Response = Response<Self::ResBody>,
        Error = Self::Failure,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    type ResBody: Body<Data = Bytes, Error: Into<BoxError> + Debug> + Send + Sync + 'static;
    type Failure: Into<BoxError> + Debug;
}

impl<S, B, R> Wrapped<B> for S
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + Debug,
    R: Body<Data = Bytes> + Send + Sync + 'static,
    R::Error: Into<BoxError> + Debug,
{
    type ResBody = R;
    type Failure = S::Error;
}

impl Subject for CacheLayer {
    fn assert_nothing_held(&self) {
        assert_eq!(self.handle().map_or(0, |cache| cache.keys()), 0);
    }
}

impl Subject for CorrelationLayer {}
impl Subject for DeadlineLayer {}
impl Subject for FallbackLayer {}
impl Subject for IdleTimeoutLayer {}

impl Subject for DriftLayer {
    fn assert_nothing_held(&self) {
        assert_eq!(self.handle().drifts(), []);
    }
}

impl Subject for ObserveLayer {}
impl Subject for FaultInjectionLayer {}
impl Subject for RetryLayer {}
impl Subject for SignLayer {}

/// Signs after a while.
pub(crate) struct Slowly;

impl Sign for Slowly {
    async fn sign(&self, _: &SigningInput) -> Result<Signed, SignError> {
        tokio::task::yield_now().await;
        Ok(Signed::default())
    }
}
impl Subject for TimeoutLayer {}
impl Subject for ValidateLayer {}

impl Subject for TokenLayer {
    async fn prepare(&self) {
        if let Some(token) = self.handle() {
            token.ready().await.expect("a token");
        }
    }
}

/// Copies go on by themselves: what they hold is no call's.
impl Subject for MirrorLayer<Provider> {}

/// It adds no failure of its own, and so leaves the inner service's as they are.
impl Subject for IdempotencyLayer {
    const OWN_ERRORS: bool = false;
}

impl Subject for BulkheadLayer {
    fn assert_nothing_held(&self) {
        let places = self.handle();
        assert_eq!((places.in_use(), places.waiting()), (0, 0), "places held");
    }
}

impl Subject for KillSwitchLayer {
    fn assert_nothing_held(&self) {
        assert_eq!(self.handle().rejected(), 0);
    }
}

impl Subject for RateLimitLayer {
    fn assert_nothing_held(&self) {
        let limit = self.handle();
        assert_eq!((limit.waiting(), limit.rejected()), (0, 0), "turns held");
    }
}

impl Subject for HedgeLayer {
    fn assert_nothing_held(&self) {
        assert_eq!(self.handle().counts(), HedgeCounts::default(), "nothing was slow");
    }
}

impl Subject for CircuitBreakerLayer {
    fn assert_nothing_held(&self) {
        let breaker = self.handle();
        assert_eq!(breaker.state(), BreakerState::Closed);
        let counts = breaker.counts();
        assert_eq!((counts.failed, counts.rejected), (0, 0));
    }
}

/// A store that keeps nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

impl CacheStore for Nothing {
    fn get(&self, _: &CacheKey) -> Option<CacheEntry> {
        None
    }

    fn put(&self, _: CacheKey, _: CacheEntry) {}

    fn remove(&self, _: &CacheKey) {}

    fn remove_where(&self, _: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {}
}

/// An observing layer, and what it told.
#[derive(Clone)]
pub(crate) struct Observed {
    layer: ObserveLayer,
    told: EventRecorder,
}

impl Observed {
    pub(crate) fn new(make: fn(Emitter) -> ObserveLayer) -> Self {
        let told = EventRecorder::new();
        let layer = make(Emitter::new().with(told.clone()));
        Self { layer, told }
    }
}

impl<S> Layer<S> for Observed {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        self.layer.layer(inner)
    }
}

impl Subject for Observed {
    fn assert_nothing_held(&self) {
        use Event::{AttemptFinished, AttemptStarted, CallFinished, CallStarted};
        let started = self.told.count(|event| matches!(event, CallStarted | AttemptStarted));
        let finished =
            self.told.count(|event| matches!(event, CallFinished { .. } | AttemptFinished { .. }));
        assert_eq!(started, finished, "{:?}", self.told.events());
    }
}

/// A breaker that has room for one probe and needs one success to close.
#[derive(Clone)]
pub(crate) struct HalfOpen(CircuitBreakerLayer);

impl HalfOpen {
    pub(crate) fn new(layer: CircuitBreakerLayer) -> Self {
        let layer = layer.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO);
        let layer = layer.open_for(OPEN, OPEN).probes(1, 1);
        // From here on, its clones share one breaker.
        let _ = layer.handle();
        Self(layer)
    }
}

impl<S> Layer<S> for HalfOpen {
    type Service = CircuitBreaker<S>;

    fn layer(&self, inner: S) -> CircuitBreaker<S> {
        self.0.layer(inner)
    }
}

impl Subject for HalfOpen {
    async fn prepare(&self) {
        let failing = self.0.layer(Provider::with(Fault::Status));
        let request = Request::new(outrigger::Body::empty());
        let answer = failing.oneshot(request).await.expect("an answer");
        answer.into_body().collect().await.expect("a body");
        assert_eq!(self.0.handle().state(), BreakerState::Open);
        tokio::time::advance(OPEN * 2).await;
    }

    fn assert_nothing_held(&self) {
        assert_eq!(self.0.handle().counts().rejected, 0, "the probe's slot");
    }
}

/// How long the half-open breaker was open, before its spread.
const OPEN: Duration = Duration::from_secs(5);
