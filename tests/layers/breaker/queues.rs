//! What a call waits for further in is not the provider's doing.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use outrigger::Ratio;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::BreakerState;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
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
        .layer(RateLimitLayer::new(1, Duration::from_secs(1)).on_limit(OnLimit::Shape))
        .service(Script::new([Answer::status(200)]));
    let calls = join_all((0..10).map(|_| status(&service, get()))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!((handle.state(), handle.counts().slow), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_mostly_in_a_queue_of_ours_says_nothing_of_the_provider() {
    // Cut by the deadline itself, or by the attempt's timer that looks at it.
    for attempt in [TimeoutLayer::new(), TimeoutLayer::new().attempt(Duration::from_secs(30))] {
        let breaker = CircuitBreakerLayer::new()
            .consecutive(Consecutive::Always(1))
            .no_success_for(Duration::ZERO);
        let handle = breaker.handle();
        let service = ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(8)))
            .layer(breaker)
            .layer(RateLimitLayer::new(1, Duration::from_secs(3)).on_limit(OnLimit::Shape))
            .layer(BulkheadLayer::new(1).queue(1))
            .layer(attempt)
            // The second has its turn after three seconds, its place after 5.4, and 2.6 are left.
            .service(Script::new([Answer::status(200).after(Duration::from_millis(5_400))]));
        let (first, second) = tokio::join!(status(&service, get()), status(&service, get()));
        assert_eq!(first.unwrap(), 200);
        assert!(second.unwrap_err().is_timeout());
        assert_eq!((handle.state(), handle.counts().failed), (BreakerState::Closed, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_mostly_at_the_provider_is_a_failure() {
    let breaker = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(1))
        .no_success_for(Duration::ZERO);
    let handle = breaker.handle();
    let hangs = [Answer::status(200).after(Duration::from_secs(3)), Answer::hang()];
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(8)))
        .layer(breaker)
        .layer(BulkheadLayer::new(1).queue(1))
        .service(Script::new(hangs));
    let (first, second) = tokio::join!(status(&service, get()), status(&service, get()));
    assert_eq!(first.unwrap(), 200);
    assert!(second.unwrap_err().is_timeout());
    assert_eq!((handle.state(), handle.counts().failed), (BreakerState::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_a_queue_of_ours_says_nothing_of_the_provider() {
    let breaker = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(1))
        .no_success_for(Duration::ZERO);
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
