//! What a call learns that was not let through.

use outrigger::bulkhead::BulkheadLayer;
use outrigger::context::CorrelationId;
use outrigger::correlation::CorrelationLayer;
use outrigger::event::Event;
use outrigger::outcome::{GaveUp, Rejection};
use outrigger::testing::Answer;
use outrigger::{Delivery, ErrorKind};
use tower::Layer;

use super::{Guarded, calling};
use crate::call::{get, keyed_post, status};
use crate::clock::{begin, millis, secs, timed};
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_refuses_at_once_and_says_so() {
    let crm = Guarded::by(BulkheadLayer::new(2));
    let _held = crm.hold(2).await;
    let (took, result) = timed(crm.call()).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert!(error.is_rejected() && !error.is_timeout() && !error.is_connect());
    assert_eq!((took, error.elapsed()), (secs(0), Some(secs(0))));
    assert_eq!((error.limit(), error.retry_after()), (None, None));
    assert_eq!((error.integration(), error.last_status()), (Some("crm"), None));
    assert!(error.call_id().is_some());
    assert_eq!(
        error.to_string(),
        "crm: bulkhead full for api.example:443: 2 of 2 in use, 0 may wait"
    );
    assert_eq!(crm.events.events(), [Event::BulkheadRejected { why: Rejection::Full }]);
}

#[tokio::test(start_paused = true)]
async fn the_refusal_says_who_was_refused() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let _held = crm.hold(1).await;
    let service = CorrelationLayer::new().layer(crm.service.clone());
    let id = CorrelationId::new("order-1042").unwrap();
    let mut request = get();
    request.extensions_mut().insert(id.clone());
    let error = status(&service, request).await.unwrap_err();
    assert_eq!(error.correlation_id(), Some(&id));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_tried_again() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let _held = crm.hold(1).await;
    let service = plain().layer(crm.service.clone());
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.gave_up()), (secs(0), Some(GaveUp::NotRetryable)));
    assert_eq!((error.attempts(), error.delivery()), (0, Delivery::NotSent));
    assert_eq!(crm.events.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_finds_it_full_tells_of_the_attempt_before() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let service = plain().layer(crm.service.clone());
    crm.provider.set(Answer::broken(std::io::ErrorKind::ConnectionReset).after(secs(1)));
    let retrying = begin(async move { status(&service, keyed_post("a")).await }).await;
    crate::clock::wait(secs(1) + millis(50)).await;
    crm.provider.set(Answer::hang());
    let _held = begin(calling(&crm.service, get())).await;
    let error = retrying.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    assert_eq!((error.attempts(), error.delivery()), (1, Delivery::Unknown));
}
