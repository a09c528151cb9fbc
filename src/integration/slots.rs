use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request};

use crate::body::Body;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::config::{Mistake, Mistakes};
use crate::correlation::CorrelationLayer;
use crate::deadline::DeadlineLayer;
use crate::idempotency::{IdempotencyLayer, PlaceKey};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::retry::RetryLayer;
use crate::timeout::TimeoutLayer;

/// What stands in each slot of the one order, from the outside in.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) correlation: CorrelationLayer,
    pub(super) deadline: DeadlineLayer,
    pub(super) idempotency: IdempotencyLayer<AnyPlacement>,
    pub(super) retry: RetryLayer,
    pub(super) breaker: CircuitBreakerLayer,
    pub(super) bulkhead: BulkheadLayer,
    pub(super) timeout: TimeoutLayer,
    pub(super) idle_timeout: IdleTimeoutLayer,
    /// For the own client; another's is its owner's affair.
    pub(super) connect: Duration,
}

/// Where the key goes, whatever puts it there.
#[derive(Clone)]
pub(super) struct AnyPlacement(Arc<dyn PlaceKey<Body> + Send + Sync>);

impl Slots {
    /// All that can't work, layer by layer and between the layers.
    pub(super) fn check_into(&self, found: &mut Vec<Mistake>) {
        self.deadline.check_into(&mut Mistakes::new("deadline", found));
        self.idempotency.check_into(&mut Mistakes::new("idempotency", found));
        self.retry.check_into(&mut Mistakes::new("retry", found));
        self.breaker.check_into(&mut Mistakes::new("circuit_breaker", found));
        self.bulkhead.check_into(&mut Mistakes::new("bulkhead", found));
        self.timeout.check_into(&mut Mistakes::new("timeout", found));
        self.idle_timeout.check_into(&mut Mistakes::new("idle_timeout", found));
        self.check_between(found);
    }

    fn check_between(&self, found: &mut Vec<Mistake>) {
        let Some(attempt) = self.timeout.attempt_limit() else {
            return;
        };
        if let Some(deadline) = self.deadline.limit()
            && attempt > deadline
        {
            Mistakes::new("timeout", found).add(
                "attempt",
                format_args!("{attempt:?} is over the deadline {deadline:?}: lower the attempt or raise the deadline"),
            );
        }
        if let Some(window) = self.breaker.window_time()
            && window < attempt * 2
        {
            Mistakes::new("circuit_breaker", found).add(
                "window",
                format_args!("{window:?} is under two attempts of {attempt:?}, so a hanging provider hardly shows in it: widen the window or lower the attempt"),
            );
        }
    }

    /// What an own client's limit must keep to.
    pub(super) fn check_connect(&self, connect: Option<Duration>, found: &mut Vec<Mistake>) {
        let (Some(connect), Some(attempt)) = (connect, self.timeout.attempt_limit()) else {
            return;
        };
        if connect > attempt {
            Mistakes::new("hyper", found).add(
                "connect_timeout",
                format_args!("{connect:?} is over the attempt's {attempt:?} and can never pass: lower it or raise the attempt"),
            );
        }
    }
}

impl AnyPlacement {
    /// The same layer, whatever puts its keys in place.
    pub(super) fn of<P>(layer: IdempotencyLayer<P>) -> IdempotencyLayer<Self>
    where
        P: PlaceKey<Body> + Clone + Send + Sync + 'static,
    {
        let placement = Self(Arc::new(layer.placement().clone()));
        layer.place_with(placement)
    }
}

impl PlaceKey<Body> for AnyPlacement {
    fn place(&self, request: Request<Body>, key: &HeaderValue) -> Request<Body> {
        self.0.place(request, key)
    }
}

impl fmt::Debug for AnyPlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyPlacement")
    }
}
