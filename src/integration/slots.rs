use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};

use super::target::Target;
use super::users::Users;
use crate::body::Body;
use crate::idempotency::{IdempotencyLayer, InHeader, WriteKey};
use crate::pattern::capacity::Capacity;
use crate::pattern::{Slot, Wiring};
use crate::rate_limit::OnLimit;
use crate::settings::{Errors, ValidationError};

/// The slots of the one order, from the outside in, for the macro that is named. A slot has the
/// name of its layer's module. Where a file has a table of that name, the table's type follows the
/// layer's.
macro_rules! each_slot {
    ($make:ident) => {
        $make! {
            correlation: CorrelationLayer => CorrelationSettings,
            fallback: FallbackLayer => FallbackSettings,
            deadline: DeadlineLayer,
            cache: CacheLayer => CacheSettings,
            kill_switch: KillSwitchLayer,
            mirror: MirrorLayer<Target> => MirrorSettings,
            idempotency: IdempotencyLayer<AnyPlacement> => IdempotencySettings,
            retry: RetryLayer => RetrySettings,
            hedge: HedgeLayer => HedgeSettings,
            circuit_breaker: CircuitBreakerLayer => BreakerSettings,
            rate_limit: RateLimitLayer => RateLimitSettings,
            bulkhead: BulkheadLayer => BulkheadSettings,
            timeout: TimeoutLayer => TimeoutSettings,
            token: TokenLayer => TokenSettings,
            sign: SignLayer,
            validate: ValidateLayer => ValidateSettings,
            drift: DriftLayer => DriftSettings,
            idle_timeout: IdleTimeoutLayer,
            fault_injection: FaultInjectionLayer => FaultInjectionSettings,
        }
    };
}

/// Makes the slots, and what is done with each of them, from their list.
macro_rules! slots {
    ($($name:ident: $layer:ident $(<$part:ty>)? $(=> $table:ident)?,)*) => {
        /// The layer in each slot.
        #[derive(Clone, Debug)]
        pub(super) struct Slots {
            $(pub(super) $name: crate::$name::$layer $(<$part>)?,)*
            pub(super) around_call: Users,
            pub(super) around_attempt: Users,
            /// For the own client; other clients have settings of their own.
            pub(super) connect: Duration,
        }

        impl Slots {
            /// The slots of one integration. State is shared between integrations only if a handle to
            /// it was taken before they were built, or if it is meant to be shared.
            pub(super) fn adopt(self, wiring: &Wiring) -> Self {
                Self { $($name: self.$name.adopt(wiring),)* ..self }
            }

            /// A copy of the settings that later changes to the running ones don't affect.
            pub(super) fn snapshot(&self) -> Self {
                Self { $($name: self.$name.snapshot(),)* ..self.clone() }
            }

            fn inherit_each(self, running: &Self) -> Self {
                Self { $($name: self.$name.inherit(&running.$name),)* ..self }
            }

            fn check_each(&self, found: &mut Vec<ValidationError>) {
                $(self.$name.check_into(&mut Errors::new(stringify!($name), found));)*
            }
        }
    };
}

each_slot!(slots);

/// Any placement of the key: an integration's.
#[derive(Clone)]
pub struct AnyPlacement(Arc<dyn WriteKey<Body> + Send + Sync>);

impl Slots {
    /// Derives dependent settings: hedges use the retry budget; jobs queue in the rate limit and not
    /// in the bulkhead, whose queue is short; mirror, kill switch and fallback know the header of the
    /// key, so that copies have none and reports about stopped calls have it.
    pub(super) fn wire(mut self) -> Self {
        let key_header = self.idempotency.settings().profile.header.clone();
        if let Some(header) = key_header.clone() {
            self.fallback = self.fallback.key_header(header.clone());
            self.kill_switch = self.kill_switch.key_header(header);
        }
        self.mirror = self.mirror.key_header(key_header);
        self.hedge = self.hedge.budget(self.retry.shared_budget());
        let room = self.room();
        if room.is_some() {
            self.bulkhead = self.bulkhead.exempt_from_queue_limit();
        }
        let attempt = self.timeout.attempt_limit();
        self.bulkhead = self.bulkhead.reserving(attempt);
        self.token = self.token.waiting_at_most(attempt);
        self.cache = self.cache.limits(attempt, self.deadline.limit());
        // The cache stands outside of the token, and would give one key's answer to another's call.
        self.cache = self.cache.named_partitions_only(self.token.has_keys());
        self.rate_limit = self.rate_limit.with_capacity(room).reserving(attempt);
        self
    }

    /// The bulkhead's capacity, which bounds jobs in flight unless a number was set.
    fn room(&self) -> Option<Arc<dyn Capacity>> {
        let config = self.rate_limit.config();
        match (config.on_limit, config.in_flight) {
            (OnLimit::Shape, None) => self.bulkhead.capacity(),
            _ => None,
        }
    }

    /// These settings, with the state of the running ones.
    pub(super) fn inherit(mut self, running: &Self) -> Self {
        // Before the rate limit, whose queue reads the bulkhead's new limit.
        self.bulkhead = self.bulkhead.inherit(&running.bulkhead);
        let room = self.room();
        self.rate_limit = self.rate_limit.with_capacity(room);
        let mut slots = self.inherit_each(running);
        slots.hedge = slots.hedge.budget(slots.retry.shared_budget());
        slots
    }

    /// Adds all errors, of each layer and between layers.
    pub(super) fn check_into(&self, found: &mut Vec<ValidationError>) {
        self.check_each(found);
        self.check_between(found);
    }

    fn check_between(&self, found: &mut Vec<ValidationError>) {
        let deadline = self.deadline.limit();
        self.retry.check_within(deadline, &mut Errors::new("retry", found));
        let Some(attempt) = self.timeout.attempt_limit() else { return };
        let (limit, whose) = self.bound(attempt);
        if attempt > limit {
            Errors::new("timeout", found).add(
                "attempt",
                format_args!("{attempt:?} is over the deadline {limit:?}: lower the attempt or raise the deadline"),
            );
        }
        if let Some(head) = self.timeout.head_limit()
            // One over the attempt is named by the layer.
            && (limit < head && head <= attempt)
        {
            Errors::new("timeout", found).add("response_head", never_passes(head, limit, whose));
        }
        if let Some(delay) = self.hedge.fixed()
            && delay >= limit
        {
            Errors::new("hedge", found).add(
                "after",
                format_args!("{delay:?} is no sooner than the {whose}'s limit {limit:?}, so no second request ever goes out: lower it or raise the {whose}"),
            );
        }
        if let Some(window) = self.circuit_breaker.window_time()
            && window < attempt.saturating_mul(2)
        {
            Errors::new("circuit_breaker", found).add(
                "window",
                format_args!("{window:?} is under two attempts of {attempt:?}, so a hanging provider hardly shows in it: widen the window or lower the attempt"),
            );
        }
    }

    /// Checks the own client's limits against the other settings.
    pub(super) fn check_connect(
        &self,
        connect: Option<Duration>,
        found: &mut Vec<ValidationError>,
    ) {
        let (Some(connect), Some(attempt)) = (connect, self.timeout.attempt_limit()) else {
            return;
        };
        let (limit, whose) = self.bound(attempt);
        if connect > limit {
            let what = never_passes(connect, limit, whose);
            Errors::new("hyper", found)
                .add("connect_timeout", format_args!("{what}; in code, `.hyper(|client| client.connect_timeout(..))` replaces the preset's"));
        }
    }

    /// The attempt's limit, or the deadline where that is sooner, and its name. Then the attempt is
    /// refused, and so at once is all else that is over the deadline.
    fn bound(&self, attempt: Duration) -> (Duration, &'static str) {
        match self.deadline.limit() {
            Some(deadline) if deadline < attempt => (deadline, "deadline"),
            _ => (attempt, "attempt"),
        }
    }
}

impl AnyPlacement {
    /// The same layer with its placement boxed.
    pub(super) fn of<P>(layer: IdempotencyLayer<P>) -> IdempotencyLayer<Self>
    where
        P: WriteKey<Body> + Clone + Send + Sync + 'static,
    {
        let placement = Self(Arc::new(layer.placement().clone()));
        layer.write_with(placement)
    }
}

impl From<InHeader> for AnyPlacement {
    fn from(placement: InHeader) -> Self {
        Self(Arc::new(placement))
    }
}

impl WriteKey<Body> for AnyPlacement {
    fn write(&self, request: Request<Body>, key: &HeaderValue) -> Request<Body> {
        self.0.write(request, key)
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

fn never_passes(limit: Duration, bound: Duration, whose: &str) -> String {
    format!(
        "{limit:?} is over the {whose}'s {bound:?} and can never pass: lower it or raise the {whose}"
    )
}

#[cfg(feature = "serde")]
pub(super) use each_slot;
