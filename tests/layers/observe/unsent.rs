//! Calls of which nothing was sent.

use outrigger::Delivery;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::event::{End, Event};
use outrigger::outcome::{Class, Rejection};
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::{abandoned, calls, failed, kept};
use crate::call::{get, status};
use crate::clock::{begin, secs, within};
use crate::retry::plain;

fn over(end: End, elapsed: u64) -> Vec<Event> {
    vec![Event::CallStarted, Event::CallFinished { end, elapsed: secs(elapsed), attempts: 0 }]
}

/// A bulkhead whose only place is taken for good.
async fn full(layer: BulkheadLayer) -> outrigger::bulkhead::Bulkhead<Script> {
    let service = layer.layer(Script::new([Answer::hang()]));
    let _held = begin({
        let service = service.clone();
        async move { status(&service, get()).await }
    })
    .await;
    service
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_made_no_attempt() {
    let full = full(BulkheadLayer::new(1)).await;
    let end = failed(Class::Rejected(Rejection::Full), Delivery::NotSent);
    let (events, layer) = calls();
    assert!(status(&layer.layer(full.clone()), get()).await.is_err());
    assert_eq!(kept(&events), over(end, 0), "where nobody counts");
    let (events, layer) = calls();
    assert!(status(&layer.layer(plain().layer(full)), get()).await.is_err());
    assert_eq!(kept(&events), over(end, 0), "under a retry, which counts");
}

#[tokio::test(start_paused = true)]
async fn a_call_abandoned_in_a_queue_made_no_attempt_under_a_retry_which_counts() {
    let full = full(BulkheadLayer::new(1).queue(1)).await;
    let (events, layer) = calls();
    let service = layer.layer(plain().layer(full));
    assert!(within(secs(2), status(&service, get())).await.is_none());
    assert_eq!(kept(&events), over(abandoned(Delivery::NotSent), 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_abandoned_in_a_queue_made_no_attempt_where_nobody_counts() {
    let full = full(BulkheadLayer::new(1).queue(1)).await;
    let (events, layer) = calls();
    assert!(within(secs(2), status(&layer.layer(full), get())).await.is_none());
    assert_eq!(kept(&events), over(abandoned(Delivery::NotSent), 2));
}
