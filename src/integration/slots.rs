use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};

use super::target::Target;
use super::users::Users;
use crate::body::Body;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::correlation::CorrelationLayer;
use crate::deadline::DeadlineLayer;
use crate::event::Emitter;
use crate::fallback::FallbackLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::{IdempotencyLayer, PlaceKey};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::outcome::SharedClassifier;
use crate::pattern::capacity::Capacity;
use crate::rate_limit::{Excess, RateLimitLayer};
use crate::rehearsal::RehearsalLayer;
use crate::retry::RetryLayer;
use crate::settings::{Mistakes, ValidationError};
use crate::timeout::TimeoutLayer;

/// What stands in each slot of the one order, from the outside in.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) correlation: CorrelationLayer,
    pub(super) fallback: FallbackLayer,
    pub(super) deadline: DeadlineLayer,
    pub(super) kill_switch: KillSwitchLayer,
    pub(super) mirror: MirrorLayer<Target>,
    pub(super) idempotency: IdempotencyLayer<AnyPlacement>,
    pub(super) retry: RetryLayer,
    pub(super) hedge: HedgeLayer,
    pub(super) breaker: CircuitBreakerLayer,
    pub(super) rate_limit: RateLimitLayer,
    pub(super) bulkhead: BulkheadLayer,
    pub(super) timeout: TimeoutLayer,
    pub(super) idle_timeout: IdleTimeoutLayer,
    pub(super) rehearsal: RehearsalLayer,
    pub(super) around_call: Users,
    pub(super) around_attempt: Users,
    /// For the own client; another's is its owner's affair.
    pub(super) connect: Duration,
}

/// Where the key goes, whatever puts it there.
#[derive(Clone)]
pub(super) struct AnyPlacement(Arc<dyn PlaceKey<Body> + Send + Sync>);

impl Slots {
    /// Slots of one integration: they share what somebody had a handle of, or meant to be shared, and
    /// nothing else with another's.
    pub(super) fn apart(self, emitter: &Emitter, classifier: &SharedClassifier) -> Self {
        let retry = self.retry.apart().shared_classifier(classifier.clone());
        let budget = retry.shared_budget();
        Self {
            retry,
            fallback: self.fallback.shared_classifier(classifier.clone()),
            kill_switch: self.kill_switch.claimed().emitter(emitter.clone()),
            mirror: self.mirror.claimed(emitter.clone(), classifier.clone()),
            hedge: self
                .hedge
                .claimed()
                .budget(budget)
                .shared_classifier(classifier.clone())
                .emitter(emitter.clone()),
            breaker: self.breaker.claimed(emitter.clone(), classifier.clone()),
            rate_limit: self
                .rate_limit
                .claimed()
                .shared_classifier(classifier.clone())
                .emitter(emitter.clone()),
            bulkhead: self.bulkhead.claimed().shared_classifier(classifier.clone()),
            rehearsal: self.rehearsal.claimed(emitter.clone()),
            ..self
        }
    }

    /// What follows from other settings: second requests come out of the retries' budget, jobs wait
    /// for their turn in one queue, in order, and not in the bulkhead's, which is short, and a copy
    /// has no key, and what is said and kept of a call that was stopped has it, whatever header the
    /// provider wants it in.
    pub(super) fn settled(mut self) -> Self {
        let key_header = self.idempotency.settings().profile.header.clone();
        if let Some(header) = key_header.clone() {
            self.fallback = self.fallback.key_header(header.clone());
            self.kill_switch = self.kill_switch.key_header(header);
        }
        self.mirror = self.mirror.key_header(key_header);
        self.hedge = self.hedge.budget(self.retry.shared_budget());
        let room = self.room_in(&self.bulkhead);
        if room.is_some() {
            self.bulkhead = self.bulkhead.fed();
        }
        let attempt = self.timeout.attempt_limit();
        self.bulkhead = self.bulkhead.leaving(attempt);
        self.rate_limit = self.rate_limit.following(room).leaving(attempt);
        self
    }

    /// The places that jobs wait for before their turn, unless so many in flight were set.
    fn room_in(&self, bulkhead: &BulkheadLayer) -> Option<Arc<dyn Capacity>> {
        let config = self.rate_limit.config();
        match (config.excess, config.in_flight) {
            (Excess::Shape, None) => bulkhead.room(),
            _ => None,
        }
    }

    /// The same settings, which stay as they are while those that run are set anew.
    pub(super) fn kept(&self) -> Self {
        let slots = self.clone();
        Self { bulkhead: slots.bulkhead.apart(), ..slots }
    }

    /// These settings, with all that the running ones remember and hold, or those that they were laid
    /// over at first.
    pub(super) fn taking_over(self, running: &Self) -> Self {
        // First: those who wait for their turn look at the places that there are then.
        let bulkhead = self.bulkhead.clone().taking_over(&running.bulkhead);
        let rate_limit = self.rate_limit.clone().following(self.room_in(&bulkhead));
        let retry = self.retry.taking_over(&running.retry);
        let hedge = self.hedge.taking_over(&running.hedge).budget(retry.shared_budget());
        Self {
            retry,
            hedge,
            kill_switch: self.kill_switch.taking_over(&running.kill_switch),
            mirror: self.mirror.taking_over(&running.mirror),
            breaker: self.breaker.taking_over(&running.breaker),
            rate_limit: rate_limit.taking_over(&running.rate_limit),
            bulkhead,
            rehearsal: self.rehearsal.taking_over(&running.rehearsal),
            ..self
        }
    }

    /// All that can't work, layer by layer and between the layers.
    pub(super) fn check_into(&self, found: &mut Vec<ValidationError>) {
        self.fallback.check_into(&mut Mistakes::new("fallback", found));
        self.deadline.check_into(&mut Mistakes::new("deadline", found));
        self.mirror.check_into(&mut Mistakes::new("mirror", found));
        self.idempotency.check_into(&mut Mistakes::new("idempotency", found));
        self.retry.check_into(&mut Mistakes::new("retry", found));
        self.hedge.check_into(&mut Mistakes::new("hedge", found));
        self.breaker.check_into(&mut Mistakes::new("circuit_breaker", found));
        self.rate_limit.check_into(&mut Mistakes::new("rate_limit", found));
        self.bulkhead.check_into(&mut Mistakes::new("bulkhead", found));
        self.timeout.check_into(&mut Mistakes::new("timeout", found));
        self.idle_timeout.check_into(&mut Mistakes::new("idle_timeout", found));
        self.rehearsal.check_into(&mut Mistakes::new("rehearsal", found));
        self.check_between(found);
    }

    fn check_between(&self, found: &mut Vec<ValidationError>) {
        let deadline = self.deadline.limit();
        self.retry.check_within(deadline, &mut Mistakes::new("retry", found));
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
        if let Some(delay) = self.hedge.fixed()
            && delay >= attempt
        {
            Mistakes::new("hedge", found).add(
                "after",
                format_args!("{delay:?} is no sooner than the attempt's limit {attempt:?}, so no second request ever goes out: lower it or raise the attempt"),
            );
        }
        if let Some(window) = self.breaker.window_time()
            && window < attempt.saturating_mul(2)
        {
            Mistakes::new("circuit_breaker", found).add(
                "window",
                format_args!("{window:?} is under two attempts of {attempt:?}, so a hanging provider hardly shows in it: widen the window or lower the attempt"),
            );
        }
    }

    /// What an own client's limit must keep to.
    pub(super) fn check_connect(
        &self,
        connect: Option<Duration>,
        found: &mut Vec<ValidationError>,
    ) {
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

    fn sends(&self) -> bool {
        self.0.sends()
    }

    fn header(&self) -> Option<&HeaderName> {
        self.0.header()
    }
}

impl fmt::Debug for AnyPlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyPlacement")
    }
}
