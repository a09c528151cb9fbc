//! The one order, written once. The numbers are those of the [module](super)'s page.

use std::sync::Arc;

use tower_layer::{Identity, Layer};

use super::edge::{Boxed, Edge};
use super::slots::Slots;
use crate::event::Emitter;
use crate::observe::ObserveLayer;
use crate::outcome::SharedClassifier;
use crate::transport::{Adapt, Transport};

/// The one order around a transport, from the inside out; `$attempt` and `$call` are the places of
/// the two observers.
macro_rules! compose {
    ($slots:ident, $emitter:ident, $transport:ident, attempt: $attempt:expr, call: $call:expr) => {{
        let emitter = || $emitter.clone();
        // 11. The transport: its errors become ours here, once.
        let stack = Adapt::new($transport);
        // 10. Right above the transport: only the provider's silence counts.
        let stack = $slots.idle_timeout.emitter(emitter()).layer(stack);
        // 9. Inside the queue: an attempt's time is the provider's alone.
        let stack = $slots.timeout.emitter(emitter()).layer(stack);
        // 8. Outside the attempt's limits: a timeout is how an attempt ended.
        let stack = $attempt.layer(stack);
        // 7. Inside the breaker: an open circuit doesn't queue.
        let stack = $slots.bulkhead.emitter(emitter()).layer(stack);
        // 6. Inside retry: it judges attempts. (Its events' destination was set with its handle.)
        let stack = $slots.breaker.layer(stack);
        // 5. Inside the key: every attempt has the same one.
        let stack = $slots.retry.emitter(emitter()).layer(stack);
        // 4. Inside the deadline: nothing it does takes time.
        let stack = $slots.idempotency.emitter(emitter()).layer(stack);
        // 3. Outside all that waits: all that follows is the caller's time.
        let stack = $slots.deadline.emitter(emitter()).share_timers().layer(stack);
        // 2. Outside the deadline: what the caller sees.
        let stack = $call.layer(stack);
        // 1. Outermost: all that follows carries its id.
        let stack = $slots.correlation.emitter(emitter()).layer(stack);
        Arc::new(Boxed::new(stack))
    }};
}

/// Composes the slots around a transport.
pub(super) fn compose<T: Transport>(
    mut slots: Slots,
    emitter: &Emitter,
    classifier: &SharedClassifier,
    transport: T,
) -> Arc<dyn Edge> {
    slots.retry = slots.retry.shared_classifier(classifier.clone());
    if !emitter.is_listened_to() {
        // Who doesn't listen doesn't pay: the observers' places stay empty.
        return compose!(slots, emitter, transport, attempt: Identity::new(), call: Identity::new());
    }
    let attempt = ObserveLayer::attempt(emitter.clone()).shared_classifier(classifier.clone());
    let call = ObserveLayer::call(emitter.clone()).shared_classifier(classifier.clone());
    compose!(slots, emitter, transport, attempt: attempt, call: call)
}
