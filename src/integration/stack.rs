//! The one order, written once. The numbers are those of the [module](super)'s page.

use std::sync::Arc;

use tower_layer::Layer;

use super::edge::{Boxed, Edge};
use super::slots::Slots;
use crate::event::Emitter;
use crate::observe::ObserveLayer;
use crate::outcome::SharedClassifier;
use crate::transport::{Adapt, Transport};

/// Composes the slots around a transport, from the inside out.
pub(super) fn compose<T: Transport>(
    slots: Slots,
    emitter: &Emitter,
    classifier: &SharedClassifier,
    transport: T,
) -> Arc<dyn Edge> {
    let (emitter, classifier) = (|| emitter.clone(), || classifier.clone());
    let call = ObserveLayer::call(emitter()).shared_classifier(classifier());
    let attempt = ObserveLayer::attempt(emitter()).shared_classifier(classifier());

    // 11. The transport: its errors become ours here, once.
    let stack = Adapt::new(transport);
    // 10. Right above the transport: only the provider's silence counts.
    let stack = slots.idle_timeout.emitter(emitter()).layer(stack);
    // 9. Inside the queue: an attempt's time is the provider's alone.
    let stack = slots.timeout.emitter(emitter()).layer(stack);
    // 8. Outside the attempt's limits: a timeout is how an attempt ended.
    let stack = attempt.layer(stack);
    // 7. Inside the breaker: an open circuit doesn't queue.
    let stack = slots.bulkhead.emitter(emitter()).layer(stack);
    // 6. Inside retry: it judges attempts. (Its events' destination was set when its handle was.)
    let stack = slots.breaker.layer(stack);
    // 5. Inside the key: every attempt has the same one.
    let stack = slots.retry.emitter(emitter()).shared_classifier(classifier()).layer(stack);
    // 4. Inside the deadline: nothing it does takes time.
    let stack = slots.idempotency.emitter(emitter()).layer(stack);
    // 3. Outside all that waits: all that follows is the caller's time.
    let stack = slots.deadline.emitter(emitter()).share_timers().layer(stack);
    // 2. Outside the deadline: what the caller sees.
    let stack = call.layer(stack);
    // 1. Outermost: all that follows carries its id.
    let stack = slots.correlation.emitter(emitter()).layer(stack);

    Arc::new(Boxed::new(stack))
}
