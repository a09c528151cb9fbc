use std::sync::Arc;
use std::time::Duration;

use super::edge::Edge;
use super::handle::{Integration, Shared};
use super::slots::{AnyPlacement, Slots};
use super::stack::compose;
use crate::body::Body;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::config::{ConfigError, Mistake};
use crate::correlation::CorrelationLayer;
use crate::event::{Emitter, Subscriber};
use crate::idempotency::{IdempotencyLayer, PlaceKey};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::outcome::{Classify, SharedClassifier};
use crate::retry::RetryLayer;
use crate::timeout::TimeoutLayer;
use crate::transport::Transport;
use crate::transport::pool::PoolHandle;

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
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct IntegrationBuilder<T> {
    name: Arc<str>,
    slots: Slots,
    emitter: Emitter,
    classifier: SharedClassifier,
    pub(super) transport: T,
}

/// Where an integration's transport comes from. Sealed: use
/// [`service`](IntegrationBuilder::service) for a transport of your own.
pub trait Source: sealed::Sealed {
    /// The transport.
    type Transport: Transport;

    /// Makes the transport, once everything was found to be right.
    #[doc(hidden)]
    fn make(self, emitter: &Emitter) -> Self::Transport;

    /// The pool of a transport that is ours.
    #[doc(hidden)]
    fn pool(_: &Self::Transport) -> Option<PoolHandle> {
        None
    }

    /// The limit on making connections, where the transport is ours.
    #[doc(hidden)]
    fn connect_limit(&self) -> Option<Duration> {
        None
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
    pub(super) fn new(name: Arc<str>, slots: Slots, transport: T) -> Self {
        let emitter = Emitter::named(Arc::clone(&name));
        Self { name, slots, emitter, classifier: SharedClassifier::default(), transport }
    }

    /// Sends through this service: any `tower::Service` from `http::Request<Body>` to an
    /// `http::Response`.
    pub fn service<S: Transport>(self, service: S) -> IntegrationBuilder<Service<S>> {
        self.with_transport(Service(service))
    }

    pub(super) fn with_transport<U>(self, transport: U) -> IntegrationBuilder<U> {
        let Self { name, slots, emitter, classifier, .. } = self;
        IntegrationBuilder { name, slots, emitter, classifier, transport }
    }

    /// Every call is over within `limit`, body included.
    pub fn deadline(self, limit: Duration) -> Self {
        self.set(|slots| slots.deadline = crate::deadline::DeadlineLayer::new(limit))
    }

    /// Adjusts the correlation id.
    pub fn correlation(self, adjust: impl FnOnce(CorrelationLayer) -> CorrelationLayer) -> Self {
        self.set(|slots| slots.correlation = adjust(slots.correlation.clone()))
    }

    /// Gives unsafe calls keys in this way.
    pub fn idempotency<P>(self, layer: IdempotencyLayer<P>) -> Self
    where
        P: PlaceKey<Body> + Clone + Send + Sync + 'static,
    {
        self.set(|slots| slots.idempotency = AnyPlacement::of(layer))
    }

    /// Adjusts the retries.
    pub fn retry(self, adjust: impl FnOnce(RetryLayer) -> RetryLayer) -> Self {
        self.set(|slots| slots.retry = adjust(slots.retry.clone()))
    }

    /// One attempt, and no more.
    pub fn without_retry(self) -> Self {
        self.retry(|retry| retry.max_attempts(1))
    }

    /// Adjusts the circuit breaker; where the preset has none, any setting switches it on.
    pub fn breaker(self, adjust: impl FnOnce(CircuitBreakerLayer) -> CircuitBreakerLayer) -> Self {
        self.set(|slots| slots.breaker = adjust(slots.breaker.clone()))
    }

    /// No circuit breaker.
    pub fn without_breaker(self) -> Self {
        self.set(|slots| slots.breaker = CircuitBreakerLayer::disabled())
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

    fn set(mut self, set: impl FnOnce(&mut Slots)) -> Self {
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
        let mut found: Vec<Mistake> = Vec::new();
        self.slots.check_into(&mut found);
        self.slots.check_connect(self.transport.connect_limit(), &mut found);
        if let Err(error) = self.transport.check() {
            found.extend_from_slice(error.mistakes());
        }
        ConfigError::check(Some(&self.name), found)?;

        // A cloned builder makes another integration, not another handle on the same one.
        self.slots.retry = self.slots.retry.apart();
        let bulkhead = self.slots.bulkhead.apart();
        self.slots.bulkhead = bulkhead.shared_classifier(self.classifier.clone());
        // Before the handle is taken: the breaker it reads must be the one that is used.
        let breaker = self.slots.breaker.emitter(self.emitter.clone());
        self.slots.breaker = breaker.shared_classifier(self.classifier.clone());
        let breaker = self.slots.breaker.handle();
        let (bulkhead, budget) = (self.slots.bulkhead.handle(), self.slots.retry.shared_budget());
        let transport = self.transport.make(&self.emitter);
        let pool = T::pool(&transport);
        let edge: Arc<dyn Edge> = compose(self.slots, &self.emitter, &self.classifier, transport);
        Ok(Integration {
            shared: Arc::new(Shared { name: self.name, edge, breaker, bulkhead, budget, pool }),
        })
    }
}
