//! The one order, written once. The numbers are those of the [module](super)'s page.

use std::sync::Arc;

use tower_layer::{Identity, Layer};

use super::adapt::Adapt;
use super::edge::{Boxed, Edge};
use super::slots::Slots;
use crate::event::Emitter;
use crate::idempotency::IdempotencyPattern;
use crate::observe::ObserveLayer;
use crate::outcome::SharedClassifier;
use crate::pattern::{AsIs, Layered};
use crate::transport::Transport;

/// The one order around a transport, from the inside out. What few integrations use is named by who
/// composes: a slot that is left empty costs nothing.
macro_rules! compose {
    (
        $slots:ident, $emitter:ident, $transport:ident,
        call: $call:expr, fallback: $fallback:expr, mirror: $mirror:expr, hedge: $hedge:expr,
        attempt: $attempt:expr, rehearsal: $rehearsal:expr $(,)?
    ) => {{
        let slots = $slots.clone();
        let emitter = || $emitter.clone();
        // 17. The transport: its errors become ours here, once.
        let stack = Adapt::new($transport, $emitter.wants().body_cap().is_some());
        // 16. Right above the transport: all limits meet the faults as if they were real.
        let stack = $rehearsal.layer(stack);
        // 15. Above it at once: only the provider's silence counts.
        let stack = slots.idle_timeout.emitter(emitter()).layer(stack);
        // 14. Inside the queue: an attempt's time is the provider's alone.
        let stack = slots.timeout.emitter(emitter()).layer(stack);
        // 13. Outside the attempt's limits: a timeout is how an attempt ended.
        let stack = $attempt.layer(stack);
        // 12. Inside the rate limit: who waits for a turn holds no place.
        let stack = slots.bulkhead.emitter(emitter()).layer(stack);
        // 11. Inside the breaker: an open circuit neither queues nor spends quota.
        let stack = slots.rate_limit.layer(stack);
        // 10. Inside retry and hedge: it judges attempts.
        let stack = slots.breaker.layer(stack);
        // 9. Inside retry: only first attempts are doubled, out of the same budget.
        let stack = $hedge.layer(stack);
        // 8. Inside the key: every attempt has the same one.
        let stack = slots.retry.emitter(emitter()).layer(stack);
        // 7. Inside the mirror: a copy has no key.
        let keys = IdempotencyPattern::new(slots.idempotency.emitter(emitter()));
        let stack = Layered::<_, _, AsIs>::new(Arc::new(keys), stack);
        // 6. Outside retry: it compares what a call came to. Inside the switch: what is stopped
        //    isn't copied.
        let stack = $mirror.layer(stack);
        // 5. Outside all that sends.
        let stack = slots.kill_switch.layer(stack);
        // 4. Outside all that waits: all that follows is the caller's time.
        let stack = slots.deadline.emitter(emitter()).layer(stack);
        // 3. Outside all that can fail: a late call gets its fallback too.
        let stack = $fallback.layer(stack);
        // 2. What the caller sees.
        let stack = $call.layer(stack);
        // 1. Outermost: all that follows carries its id.
        let stack = slots.correlation.emitter(emitter()).layer(stack);
        Arc::new(Boxed::new(stack))
    }};
}

/// Composes the slots around a transport.
pub(super) fn compose<T: Transport>(
    slots: &Slots,
    emitter: &Emitter,
    classifier: &SharedClassifier,
    transport: T,
) -> Arc<dyn Edge> {
    if !emitter.is_listened_to() && slots.is_plain() {
        // Who doesn't listen doesn't pay, nor does who sends everything once and to one place.
        return compose!(
            slots, emitter, transport,
            call: Identity::new(),
            fallback: Identity::new(),
            mirror: Identity::new(),
            hedge: Identity::new(),
            attempt: Identity::new(),
            rehearsal: Identity::new(),
        );
    }
    let attempt = ObserveLayer::attempt(emitter.clone()).shared_classifier(classifier.clone());
    let call = ObserveLayer::call(emitter.clone()).shared_classifier(classifier.clone());
    compose!(
        slots, emitter, transport,
        call: call,
        fallback: slots.fallback.clone().emitter(emitter.clone()),
        mirror: slots.mirror,
        hedge: slots.hedge,
        attempt: attempt,
        rehearsal: slots.rehearsal,
    )
}

impl Slots {
    /// Whether what few integrations use is not in use here, and can't be switched on either.
    fn is_plain(&self) -> bool {
        !self.fallback.is_enabled()
            && self.mirror.target().0.is_none()
            && !self.hedge.is_enabled()
            && !self.rehearsal.is_allowed()
            && self.rehearsal.header_set().is_none()
    }
}
