//! The one order, written once. The numbers are those of the [module](super)'s page.

use std::sync::Arc;

use super::bottom::Bottom;
use super::box_stack::{BoxStack, DynStack, Shared};
use super::pins::Pins;
use super::slots::Slots;
use crate::cache::Origin;
use crate::observe::ObserveLayer;
use crate::pattern::{Around, ToPattern, Wiring};

/// Each pattern around those below it.
macro_rules! around {
    ($bottom:expr $(,)?) => { $bottom };
    (users: $users:expr, $($further_in:tt)+) => { $users.around(around!($($further_in)+)) };
    ($pattern:expr, $($further_in:tt)+) => { Around::new($pattern, around!($($further_in)+)) };
}

/// Composes the slots around a transport. An empty slot costs a branch.
pub(super) fn compose(
    slots: &Slots,
    wiring: &Wiring,
    pins: Option<Arc<Pins>>,
    bottom: Bottom,
) -> Arc<dyn DynStack> {
    let (slots, Wiring { emitter, classifier }) = (slots.clone(), wiring);
    let listens = emitter.is_listened_to();
    let told = || emitter.clone();
    let observe = |layer: ObserveLayer| {
        listens.then(|| layer.shared_classifier(classifier.clone()).to_pattern())
    };
    let inner = Arc::new(around!(
        // 6. Outside all that sends.
        slots.kill_switch.to_pattern(),
        // 7. Inside the switch: what is stopped isn't copied. Outside retry: it compares what a call
        //    came to.
        slots.mirror.target().0.is_some().then(|| slots.mirror.to_pattern()),
        // 8. Inside the mirror: a copy has no key.
        slots.idempotency.to_pattern(),
        // 9. Inside the key: every attempt has the same one.
        slots.retry.to_pattern(),
        // 10. Inside retry: only first attempts are doubled, out of the same budget.
        slots.hedge.is_enabled().then(|| slots.hedge.to_pattern()),
        // 11. Inside retry and hedge: it judges attempts.
        slots.circuit_breaker.to_pattern(),
        // 12. Inside the breaker: an open circuit neither queues nor spends quota.
        slots.rate_limit.to_pattern(),
        // 13. Inside the rate limit: who waits for a turn holds no place.
        slots.bulkhead.to_pattern(),
        // 14. Outside the attempt's limits: a timeout is how an attempt ended.
        observe(ObserveLayer::attempt(told())),
        // 15. Inside the queue: an attempt's time is the provider's alone.
        slots.timeout.to_pattern(),
        // A user's own around the attempt: under its limit.
        users: slots.around_attempt,
        // What each answer tells of the pinned versions.
        pins,
        // 16. Inside the attempt: each has a token of its own, and waits for one in its own time.
        slots.token.is_enabled().then(|| slots.token.to_pattern()),
        // 17. Inside all that changes the request: nothing may after it.
        slots.sign.is_enabled().then(|| slots.sign.to_pattern()),
        // 18. Inside the token: what a check says of a credential is the token's to hear. Outside the body's
        //     limit: a body that stalls while it is held back is still cut.
        slots.validate.is_enabled().then(|| slots.validate.to_pattern()),
        // 19. Inside retry: it sees every answer that the provider gives.
        slots.drift.to_pattern(),
        // 20. Above the transport: only the provider's silence counts.
        slots.idle_timeout.to_pattern(),
        // 21. Right above the transport: all limits meet the faults as if they were real.
        slots.fault_injection.is_in_use().then(|| slots.fault_injection.to_pattern()),
        // 22. The transport: its errors become ours here, once.
        bottom,
    ));
    let name = emitter.integration().cloned();
    // What stands further in, for the cache's fetches in tasks of their own.
    let origin = || Arc::new(BoxStack::new(name.clone(), Arc::clone(&inner))) as Arc<dyn Origin>;
    let switch = Arc::new(slots.kill_switch.clone());
    let cache = slots.cache.pattern(origin, Some(switch));
    let stack = around!(
        // 1. Outermost: all that follows carries its id.
        slots.correlation.to_pattern(),
        // 2. What the caller sees.
        observe(ObserveLayer::call(told())),
        // A user's own around the call: they see what the caller sees, and have its id.
        users: slots.around_call,
        // 3. Outside all that can fail: a late call gets its fallback too.
        slots.fallback.is_enabled().then(|| slots.fallback.to_pattern()),
        // 4. Outside all that waits: all that follows is the caller's time.
        slots.deadline.to_pattern(),
        // 5. Inside the deadline: who waits for another call's fetch waits in the caller's time. Outside
        //    the kill switch: what is stopped may still be answered.
        cache,
        Shared(inner),
    );
    Arc::new(BoxStack::new(name.clone(), Arc::new(stack)))
}
