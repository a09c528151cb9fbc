//! What a call waits for further in is not the provider's doing.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use outrigger::Ratio;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::event::BreakerState;
use outrigger::rate_limit::{Excess, RateLimitLayer};
use outrigger::testing::{Answer, Script};
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::call::{get, status};
use crate::clock::within;

/// Opens when half of four calls take longer than two seconds.
fn impatient() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
        .without_failure_rate()
        .without_consecutive()
        .minimum(4)
        .slow_calls(Duration::from_secs(2), Ratio::percent(50))
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_place_is_no_slow_answer() {
    let breaker = impatient();
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .layer(BulkheadLayer::new(1).queue(9))
        .service(Script::new([Answer::status(200).after(Duration::from_secs(1))]));
    let calls = join_all((0..10).map(|_| status(&service, get()))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!((handle.state(), handle.counts().slow), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_turn_is_no_slow_answer() {
    let breaker = impatient();
    let handle = breaker.handle();
    let service = ServiceBuilder::new()
        .layer(breaker)
        .layer(RateLimitLayer::new(1, Duration::from_secs(1)).excess(Excess::Shape))
        .service(Script::new([Answer::status(200)]));
    let calls = join_all((0..10).map(|_| status(&service, get()))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!((handle.state(), handle.counts().slow), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_a_queue_of_ours_says_nothing_of_the_provider() {
    let breaker = CircuitBreakerLayer::new().consecutive(Consecutive::Always(1));
    let handle = breaker.handle();
    let inner = BulkheadLayer::new(1).queue(1).layer(Script::new([Answer::hang()]));
    let service = breaker.layer(inner);
    let mut first = Box::pin(service.clone().oneshot(get()));
    assert!(first.as_mut().now_or_never().is_none());
    let queued = service.clone().oneshot(get());
    let left = within(Duration::from_secs(60), queued).await;
    assert!(left.is_none());
    assert_eq!((handle.state(), handle.counts().failed), (BreakerState::Closed, 0));
}
