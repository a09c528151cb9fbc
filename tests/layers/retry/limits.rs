//! When it gives up: attempts, time, keys that expire.

use std::time::Duration;

use outrigger::backoff::Backoff;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::context::CallDeadline;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{Emitter, Event};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::{Class, GaveUp};
use outrigger::retry::{Rejections, Retries, RetryBudget};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Delivery, Ratio};
use tower::Layer;

use super::{plain, seen};
use crate::call::{get, post, send, status};
use crate::clock::{begin, millis, now, secs, timed};

#[tokio::test(start_paused = true)]
async fn the_first_attempt_counts_as_one() {
    for attempts in [1, 2, 5] {
        let layer = plain().max_attempts(attempts);
        assert_eq!(seen(layer, [Answer::status(503)], get()).await.0, attempts as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_of_attempts_the_clock_is_the_limit() {
    for (elapsed, attempts) in [(secs(100), 1_000), (secs(1_000), 10_000)] {
        let layer = plain().max_attempts(1).unlimited_attempts().max_elapsed(elapsed);
        assert_eq!(seen(layer, [Answer::status(503)], get()).await.0, attempts, "{elapsed:?}");
    }
    let layer = plain().unlimited_attempts().max_attempts(2);
    assert_eq!(seen(layer, [Answer::status(503)], get()).await.0, 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_returns_the_503_now() {
    let asking = Answer::status(503).header("retry-after", "3600").body("down for maintenance");
    let service = DeadlineLayer::new(secs(8)).layer(plain().layer(Script::new([asking])));
    let (took, result) = timed(send(&service, get())).await;
    let response = result.unwrap();
    assert_eq!((took, response.status().as_u16()), (secs(0), 503));
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::Deadline)));
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_begun_that_the_deadline_can_not_survive() {
    let retry = plain().max_attempts(100).backoff(Backoff::fixed(secs(3)));
    let provider = Script::new([Answer::status(500)]);
    let service = DeadlineLayer::new(secs(8)).layer(retry.layer(provider.clone()));
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!((took, result.unwrap(), provider.begun()), (secs(6), 500, 3));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ends_at_the_deadline_is_not_begun_either() {
    let retry = plain().backoff(Backoff::fixed(secs(8)));
    let service =
        DeadlineLayer::new(secs(8)).layer(retry.layer(Script::new([Answer::status(500)])));
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!((took, result.unwrap()), (secs(0), 500));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_bring_a_deadline_of_its_own() {
    let retry = plain().max_attempts(100).backoff(Backoff::fixed(secs(3)));
    let service = DeadlineLayer::inherited().layer(retry.layer(Script::new([Answer::status(500)])));
    let mut request = get();
    request.extensions_mut().insert(CallDeadline(now() + secs(4)));
    let (took, result) = timed(status(&service, request)).await;
    assert_eq!((took, result.unwrap()), (secs(3), 500));
}

#[tokio::test(start_paused = true)]
async fn the_clock_time_limit_is_not_overshot() {
    let layer = plain().max_attempts(1_000).backoff(Backoff::fixed(secs(30)));
    let layer = layer.max_elapsed(secs(100));
    let provider = Script::new([Answer::status(500)]);
    let service = layer.layer(provider.clone());
    let (took, result) = timed(send(&service, get())).await;
    assert_eq!((took, provider.begun()), (secs(90), 4));
    let retries = *result.unwrap().extensions().get::<Retries>().unwrap();
    assert_eq!((retries.gave_up, retries.waited), (Some(GaveUp::ElapsedLimit), secs(90)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_repeated_after_the_provider_forgot_its_key() {
    let retry = plain().max_attempts(100).backoff(Backoff::fixed(secs(40)));
    let provider = Script::new([Answer::status(503)]);
    let profile = KeyProfile::stripe().lifetime(secs(100));
    let service = IdempotencyLayer::new(profile).layer(retry.layer(provider.clone()));
    let response = send(&service, post("a")).await.unwrap();
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((provider.begun(), retries.gave_up), (3, Some(GaveUp::KeyExpired)));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_not_asked_again() {
    let breaker = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(1))
        .no_success_for(Duration::ZERO);
    let handle = breaker.handle();
    let provider = Script::new([Answer::status(200)]);
    let service = plain().layer(breaker.layer(provider.clone()));
    handle.force_open();
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_eq!((took, provider.begun(), error.attempts()), (secs(0), 0, 0));
    assert_eq!(
        (error.delivery(), error.gave_up()),
        (Delivery::NotSent, Some(GaveUp::NotRetryable))
    );
    assert_eq!(handle.counts().rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn where_rejections_are_waited_out_they_cost_neither_attempt_nor_budget() {
    let breaker = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(1))
        .no_success_for(Duration::ZERO)
        .open_for(secs(5), secs(60))
        .open_jitter(Ratio::ZERO)
        .probes(1, 1);
    let budget = RetryBudget::new(Ratio::ZERO, 1);
    let provider = Script::new([Answer::status(500), Answer::status(200)]);
    let layer = plain().max_attempts(2).rejections(Rejections::Wait).budget(budget);
    let service = layer.retry_after_spread(Ratio::ZERO).layer(breaker.layer(provider.clone()));
    // The 500 opens the breaker, the one retry there is finds it open, waits, and goes through.
    let (took, result) = timed(send(&service, get())).await;
    let response = result.unwrap();
    assert_eq!((response.status().as_u16(), provider.begun(), took), (200, 2, secs(5)));
    assert_eq!(response.extensions().get::<Retries>().unwrap().attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_outlasts_the_deadline_is_not_waited_out() {
    let breaker = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(1))
        .no_success_for(Duration::ZERO)
        .open_for(secs(30), secs(60));
    let retry = plain().rejections(Rejections::Wait);
    let provider = Script::new([Answer::status(500)]);
    let service = DeadlineLayer::new(secs(8)).layer(retry.layer(breaker.layer(provider)));
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    assert_eq!((error.gave_up(), took), (Some(GaveUp::Deadline), millis(100)));
    assert_eq!(error.delivery(), Delivery::Answered, "the first attempt was answered");
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_says_no_time_to_come_back_and_is_not_waited_out() {
    let bulkhead = BulkheadLayer::new(1).layer(Script::new([Answer::hang()]));
    let service = plain().rejections(Rejections::Wait).layer(bulkhead);
    let held = begin({
        let service = service.clone();
        async move { send(&service, get()).await.map(drop) }
    })
    .await;
    let (took, result) = timed(status(&service, get())).await;
    assert!(result.unwrap_err().is_rejected());
    assert_eq!(took, secs(0));
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn each_retry_and_the_end_are_told() {
    let events = EventRecorder::new();
    let layer = plain().emitter(Emitter::named("crm").with(events.clone()));
    let _ = seen(layer, [Answer::status(503)], get()).await;
    let (class, delay) = (Class::ServerError, millis(100));
    let expected = [
        Event::RetryScheduled { attempt: 1, class, delay },
        Event::RetryScheduled { attempt: 2, class, delay },
        Event::RetryGaveUp { attempts: 3, class, why: GaveUp::Attempts },
    ];
    assert_eq!(events.events(), expected);
}
