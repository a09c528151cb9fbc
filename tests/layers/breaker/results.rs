//! What counts as a failure, and what as nothing.

use std::io::ErrorKind;

use http::Response;
use outrigger::Ratio;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Throttled};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::outcome::{Class, HttpClassifier};
use outrigger::testing::Answer;
use outrigger::timeout::TimeoutLayer;
use tower::{Layer, service_fn};

use super::{Guarded, by_rate};
use crate::call::{get, send, status};
use crate::clock::{begin, millis, secs, settle, within};
use crate::provider::{Provider, piped};

#[tokio::test(start_paused = true)]
async fn client_errors_are_no_failures() {
    let crm = Guarded::by(by_rate(1_000, 1, 1));
    for code in [400, 401, 403, 404, 408, 409, 410, 422, 451] {
        crm.calls(10, Answer::status(code)).await;
    }
    let counts = crm.handle.counts();
    assert_eq!((crm.state(), counts.calls, counts.failed), (Closed, 90, 0));
}

#[tokio::test(start_paused = true)]
async fn server_errors_broken_connections_and_hangs_are_failures() {
    let crm = Guarded::by(by_rate(100, 100, 100));
    for code in [500, 501, 502, 503, 504, 599] {
        crm.calls(1, Answer::status(code)).await;
    }
    for how in [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::TimedOut] {
        crm.calls(1, Answer::broken(how)).await;
    }
    assert_eq!(crm.handle.counts().failed, 9);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_further_in_is_a_failure() {
    let layer = by_rate(100, 100, 2);
    let hangs = TimeoutLayer::new().attempt(secs(1)).layer(Provider::new(Answer::hang()));
    let service = layer.layer(hangs);
    for _ in 0..2 {
        assert!(status(&service, get()).await.unwrap_err().is_timeout());
    }
    assert_eq!(layer.handle().state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_503_that_says_when_to_come_back_is_a_failure_like_any_other() {
    let crm = Guarded::by(CircuitBreakerLayer::new().no_success_for(secs(0)));
    crm.calls(50, Answer::status(503).header("retry-after", "1")).await;
    assert_eq!((crm.state(), crm.provider.begun()), (Open, 10));
}

#[tokio::test(start_paused = true)]
async fn throttling_does_not_open_it() {
    let crm = Guarded::by(by_rate(100, 1, 1));
    crm.calls(100, Answer::status(429).header("retry-after", "60")).await;
    let counts = crm.handle.counts();
    assert_eq!((crm.state(), counts.calls, counts.failed), (Closed, 100, 0));
}

#[tokio::test(start_paused = true)]
async fn throttling_fails_a_probe() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1));
    crm.fail_and_wait().await;
    crm.calls(1, Answer::status(429)).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn throttling_always_counts_where_that_is_set() {
    let crm = Guarded::by(by_rate(10, 50, 10).throttled(Throttled::Always));
    crm.calls(10, Answer::status(429)).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn throttling_never_counts_where_that_is_set() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1).throttled(Throttled::Never));
    crm.fail_and_wait().await;
    crm.calls(1, Answer::status(429)).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn calls_cut_by_an_outer_timeout_are_failures() {
    let crm = Guarded::by(by_rate(100, 50, 50));
    crm.provider.set(Answer::hang());
    for _ in 0..50 {
        assert!(within(secs(2), crm.call()).await.is_none());
    }
    assert_eq!((crm.state(), crm.handle.counts().abandoned), (Open, 50));
}

#[tokio::test(start_paused = true)]
async fn calls_whose_callers_leave_at_once_are_counted_as_abandoned_alone() {
    let crm = Guarded::by(by_rate(100, 50, 10));
    crm.provider.set(Answer::hang());
    for _ in 0..50 {
        assert!(within(millis(999), crm.call()).await.is_none());
    }
    let counts = crm.handle.counts();
    assert_eq!((counts.abandoned, counts.calls, counts.failed), (50, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn how_long_is_long_for_an_abandoned_call_is_a_setting() {
    let crm = Guarded::by(by_rate(100, 50, 1).abandoned_after(millis(100)));
    crm.provider.set(Answer::hang());
    assert!(within(millis(100), crm.call()).await.is_none());
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_cut_by_its_own_deadline_is_a_failure_however_short() {
    let layer = by_rate(100, 50, 5);
    let inner = layer.layer(Provider::new(Answer::hang()));
    let service = DeadlineLayer::new(millis(200)).layer(inner);
    for _ in 0..5 {
        assert!(status(&service, get()).await.unwrap_err().is_timeout());
    }
    let handle = layer.handle();
    assert_eq!((handle.state(), handle.counts().abandoned), (Open, 5));
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_further_in_refused_is_no_result() {
    let layer = by_rate(100, 50, 1);
    let provider = Provider::new(Answer::hang());
    let service = layer.layer(BulkheadLayer::new(1).layer(provider.clone()));
    let held = begin({
        let service = service.clone();
        async move { send(&service, get()).await.map(drop) }
    })
    .await;
    for _ in 0..20 {
        assert!(status(&service, get()).await.unwrap_err().is_rejected());
    }
    let counts = layer.handle().counts();
    assert_eq!((counts.calls, counts.failed, provider.begun()), (0, 0, 1));
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_further_in_gives_its_probe_slot_back() {
    let layer = by_rate(10, 50, 1).probes(1, 1);
    let provider = Provider::new(Answer::status(500));
    let bulkhead = BulkheadLayer::new(1).layer(provider.clone());
    let service = layer.layer(bulkhead.clone());
    assert_eq!(status(&service, get()).await.unwrap(), 500);
    crate::clock::wait(secs(5)).await;
    provider.set(Answer::hang());
    let held = begin(async move { send(&bulkhead, get()).await.map(drop) }).await;
    for _ in 0..3 {
        let refused = status(&service, get()).await.unwrap_err();
        assert!(refused.to_string().starts_with("bulkhead full"), "{refused}");
    }
    held.abort();
    settle().await;
    provider.set(Answer::status(200));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(layer.handle().state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_a_failure_and_one_that_is_left_unread_is_not() {
    let layer = by_rate(100, 100, 100);
    let (pipe, body) = piped();
    let body = std::sync::Mutex::new(Some(body));
    let body = std::sync::Arc::new(body);
    let service = layer.layer(service_fn(move |_| {
        let body = body.lock().unwrap().take().unwrap_or_default();
        async { Ok::<_, std::io::Error>(Response::new(body)) }
    }));
    let handle = layer.handle();

    let broken = send(&service, get()).await.unwrap();
    assert_eq!(handle.counts().calls, 0, "the body isn't over");
    pipe.feed("a");
    pipe.break_off();
    assert!(http_body_util::BodyExt::collect(broken.into_body()).await.is_err());
    assert_eq!((handle.counts().calls, handle.counts().failed), (1, 1));

    drop(send(&service, get()).await.unwrap());
    assert_eq!((handle.counts().calls, handle.counts().failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_begun_before_it_opened_neither_closes_nor_reopens_it() {
    for late in [200, 500] {
        let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1));
        crm.provider.set(Answer::status(late).after(secs(6)));
        let service = crm.service.clone();
        let straggler = begin(async move { status(&service, get()).await }).await;
        crm.fail_and_wait().await;
        crm.provider.set(Answer::hang());
        let service = crm.service.clone();
        let probe = begin(async move { status(&service, get()).await }).await;
        assert_eq!(crm.state(), HalfOpen);
        assert_eq!(straggler.await.unwrap().unwrap(), late);
        assert_eq!(crm.state(), HalfOpen, "a {late} from before the outage");
        probe.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_begun_before_an_outage_is_not_counted_after_it() {
    let crm = Guarded::by(by_rate(10, 10, 1).probes(1, 1));
    crm.provider.set(Answer::status(500).after(secs(20)));
    let service = crm.service.clone();
    let straggler = begin(async move { status(&service, get()).await }).await;
    crm.fail_and_wait().await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
    assert_eq!(straggler.await.unwrap().unwrap(), 500);
    assert_eq!((crm.state(), crm.handle.counts().failed), (Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_ones_own_says_what_a_failure_is() {
    let liar = HttpClassifier::new()
        .with(|head| head.headers.contains_key("x-error").then_some(Class::Invalid));
    let crm = Guarded::by(by_rate(10, 50, 2).classifier(liar));
    crm.calls(2, Answer::status(200).header("x-error", "1")).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_failure_may_be_slow_as_well() {
    let crm = Guarded::by(by_rate(10, 100, 10).slow_calls(secs(1), Ratio::percent(100)));
    crm.calls(1, Answer::status(500).after(secs(2))).await;
    let counts = crm.handle.counts();
    assert_eq!((counts.calls, counts.failed, counts.slow), (1, 1, 1));
}
