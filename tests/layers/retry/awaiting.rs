//! Waiting for budget.

use std::io::ErrorKind::ConnectionReset;
use std::time::Duration;

use outrigger::backoff::Backoff;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{Emitter, Event, SwitchMode};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::outcome::{Class, GaveUp, Rejection};
use outrigger::retry::{EmptyBudget, Retries, RetryBudget, RetryLayer};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, ErrorKind, Ratio};
use tower::Layer;

use super::plain;
use crate::call::{get, post, send, status};
use crate::clock::{begin, millis, secs, timed, wait};

/// One retry in ten seconds, and nothing else.
fn one_in_ten_seconds() -> RetryBudget {
    RetryBudget::new(Ratio::ZERO, 1).burst(0)
}

/// A job that is patient, with this budget.
fn job(budget: &RetryBudget) -> RetryLayer {
    plain().unlimited_attempts().budget(budget.clone()).when_budget_is_empty(EmptyBudget::Wait)
}

/// Takes out what there is.
async fn spend(budget: &RetryBudget) {
    let at_once = Backoff::schedule([Duration::ZERO]);
    let layer = plain().unlimited_attempts().backoff(at_once).budget(budget.clone());
    status(&layer.layer(Script::new([Answer::status(500)])), get()).await.unwrap();
}

/// Budget for three more attempts, and an answer at the last.
fn at_the_fourth() -> Script {
    let failed = || Answer::status(503);
    Script::new([failed(), failed(), failed(), Answer::status(200)])
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_budget_and_is_then_tried_again() {
    let events = EventRecorder::new();
    let layer = job(&one_in_ten_seconds()).emitter(Emitter::named("crm").with(events.clone()));
    let provider = at_the_fourth();
    let (took, response) = timed(send(&layer.layer(provider.clone()), get())).await;
    let response = response.unwrap();
    // The first retry is paid for at once, the others at the end of a period.
    assert_eq!((response.status().as_u16(), took, provider.begun()), (200, secs(20), 4));
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.waited, retries.gave_up), (4, secs(20), None));
    let class = Class::ServerError;
    let scheduled = |attempt, delay| Event::RetryScheduled { attempt, class, delay };
    let expected = [
        scheduled(1, millis(100)),
        // However often it asks, it is told once.
        Event::RetryAwaitsBudget { attempt: 2, class },
        scheduled(2, Duration::ZERO),
        Event::RetryAwaitsBudget { attempt: 3, class },
        scheduled(3, Duration::ZERO),
    ];
    assert_eq!(events.events(), expected);
}

#[tokio::test(start_paused = true)]
async fn it_backs_off_before_it_asks() {
    // Two calls pay for one retry.
    let budget = RetryBudget::new(Ratio::percent(50), 0).burst(1);
    spend(&budget).await;
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let service = job(&budget).layer(provider.clone());
    let call = begin({
        let service = service.clone();
        async move { timed(status(&service, get())).await }
    });
    let call = call.await;
    // Another call pays for it at once.
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    let (took, result) = call.await.unwrap();
    assert_eq!((took, result.unwrap()), (millis(100), 200));
}

#[tokio::test(start_paused = true)]
async fn calls_that_begin_pay_for_who_waits_as_soon_as_they_do() {
    let budget = RetryBudget::new(Ratio::percent(50), 0).burst(2);
    spend(&budget).await;
    let failed = Answer::status(503);
    let service = job(&budget).layer(Script::new([failed, Answer::status(200)]));
    let call = begin({
        let service = service.clone();
        async move { timed(status(&service, get())).await }
    });
    let call = call.await;
    wait(secs(100)).await;
    assert!(!call.is_finished());
    for _ in 0..2 {
        assert_eq!(status(&service, get()).await.unwrap(), 200);
    }
    let (took, result) = call.await.unwrap();
    assert_eq!((took, result.unwrap()), (secs(100), 200));
}

#[tokio::test(start_paused = true)]
async fn when_its_time_is_up_the_last_answer_is_returned_whole() {
    let budget = one_in_ten_seconds();
    for cap in [4, 1 << 16] {
        let answer = Answer::status(503).body("down for maintenance");
        for limit in [secs(8), secs(3_600)] {
            wait(secs(10)).await;
            spend(&budget).await;
            let layer = job(&budget).drain_cap(cap);
            let service = match limit.as_secs() {
                8 => DeadlineLayer::new(limit).layer(layer.layer(Script::new([answer.clone()]))),
                _ => DeadlineLayer::new(limit)
                    .layer(layer.max_elapsed(secs(8)).layer(Script::new([answer.clone()]))),
            };
            let (took, response) = timed(send(&service, get())).await;
            let response = response.unwrap();
            assert!((millis(7_900)..secs(8)).contains(&took), "{took:?}");
            let retries = *response.extensions().get::<Retries>().unwrap();
            assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::Budget)));
            assert_eq!(retries.waited, took);
            let size = http_body::Body::size_hint(response.body()).exact();
            assert_eq!(size, Some(20));
            let body = Body::new(response.into_body()).text().await.unwrap();
            assert_eq!(body, "down for maintenance");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_its_time_is_up_the_last_error_is_returned() {
    let budget = one_in_ten_seconds();
    spend(&budget).await;
    let events = EventRecorder::new();
    let layer = job(&budget).emitter(Emitter::new().with(events.clone()));
    let broken = layer.layer(Script::new([Answer::broken(ConnectionReset)]));
    let (took, result) = timed(send(&DeadlineLayer::new(secs(8)).layer(broken), get())).await;
    let error = result.unwrap_err();
    assert!((millis(7_900)..secs(8)).contains(&took), "{took:?}");
    assert!(error.gave_up() == Some(GaveUp::Budget), "{error}");
    let last = events.events().pop().unwrap();
    assert!(
        matches!(last, Event::RetryGaveUp { attempts: 1, why: GaveUp::Budget, .. }),
        "{last:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_that_expires_meanwhile_ends_the_wait() {
    let budget = one_in_ten_seconds();
    spend(&budget).await;
    let profile = KeyProfile::stripe().lifetime(secs(5));
    let provider = Script::new([Answer::status(503)]);
    let service = IdempotencyLayer::new(profile).layer(job(&budget).layer(provider.clone()));
    let (took, response) = timed(send(&service, post("1"))).await;
    let retries = *response.unwrap().extensions().get::<Retries>().unwrap();
    assert_eq!((retries.gave_up, provider.begun()), (Some(GaveUp::KeyExpired), 1));
    assert!(took <= secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_kill_switch_that_is_thrown_meanwhile_ends_it() {
    for mode in [SwitchMode::Off, SwitchMode::NoRetries] {
        let budget = one_in_ten_seconds();
        spend(&budget).await;
        let switch = KillSwitchLayer::new();
        let handle = switch.handle();
        let provider = Script::new([Answer::status(503)]);
        let service = switch.layer(job(&budget).layer(provider.clone()));
        let call = begin(async move { timed(send(&service, get())).await }).await;
        wait(secs(3)).await;
        handle.set(mode, "ada", "the provider is being moved");
        let (took, result) = call.await.unwrap();
        assert!((secs(3)..=secs(4)).contains(&took), "{took:?}");
        match mode {
            SwitchMode::Off => {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
                assert_eq!(error.gave_up(), Some(GaveUp::Stopped));
            }
            _ => {
                let retries = *result.unwrap().extensions().get::<Retries>().unwrap();
                assert_eq!(retries.gave_up, Some(GaveUp::Stopped));
            }
        }
        assert_eq!(provider.begun(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_first_is_served_first_and_a_newer_call_passes_nobody() {
    let budget = one_in_ten_seconds();
    spend(&budget).await;
    let (failed, fine) = (|| Answer::status(503), || Answer::status(200));
    // Three fail at 0, 1 and 2 s. The first is served at 10 s, the fourth fails at 15 s.
    let provider = Script::new([failed(), failed(), failed(), fine(), failed(), fine()]);
    let service = job(&budget).layer(provider.clone());
    let mut calls = Vec::new();
    for pause in [0, 1, 1, 13] {
        wait(secs(pause)).await;
        let service = service.clone();
        calls.push(begin(async move { timed(status(&service, get())).await }).await);
    }
    // One that does not wait gets nothing either, while others do.
    assert_eq!(
        status(&plain().budget(budget.clone()).layer(at_the_fourth()), get()).await.unwrap(),
        503
    );
    let mut took = Vec::new();
    for call in calls {
        let (time, result) = call.await.unwrap();
        assert_eq!(result.unwrap(), 200);
        took.push(time.as_secs());
    }
    assert_eq!(took, [10, 19, 28, 25], "at 10, 20, 30 and 40 s");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_pays_for_who_waits_does_not_take_it_for_itself() {
    for waits in [EmptyBudget::Fail, EmptyBudget::Wait] {
        let budget = RetryBudget::new(Ratio::percent(60), 0).burst(1);
        spend(&budget).await;
        let old = job(&budget).layer(Script::new([Answer::status(503), Answer::status(200)]));
        let old = begin(async move { timed(status(&old, get())).await }).await;
        wait(secs(5)).await;
        // It fails in the same instant, before the one that waits could look.
        let new = job(&budget).when_budget_is_empty(waits).max_elapsed(secs(3));
        let new = send(&new.layer(Script::new([Answer::status(503)])), get()).await.unwrap();
        let retries = *new.extensions().get::<Retries>().unwrap();
        assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::Budget)), "{waits:?}");
        let (took, result) = old.await.unwrap();
        assert_eq!((took, result.unwrap()), (secs(5), 200));
    }
}

#[tokio::test(start_paused = true)]
async fn all_whom_there_is_budget_for_are_served_in_the_same_instant() {
    let budget = RetryBudget::new(Ratio::ZERO, 3).burst(0);
    spend(&budget).await;
    let failed = || Answer::status(503);
    let answers = [failed(), failed(), failed(), Answer::status(200)];
    let service = job(&budget).layer(Script::new(answers));
    let mut calls = Vec::new();
    for _ in 0..3 {
        let service = service.clone();
        calls.push(begin(async move { timed(status(&service, get())).await }).await);
    }
    for call in calls {
        let (took, result) = call.await.unwrap();
        assert_eq!((took, result.unwrap()), (secs(10), 200));
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_line_gives_the_place_to_the_next() {
    for served in [false, true] {
        let budget = one_in_ten_seconds();
        spend(&budget).await;
        let failed = || Answer::status(503);
        let service = job(&budget).layer(Script::new([failed(), failed(), Answer::status(200)]));
        let mut calls = Vec::new();
        for _ in 0..2 {
            let service = service.clone();
            calls.push(begin(async move { timed(status(&service, get())).await }).await);
        }
        if !served {
            wait(secs(5)).await;
            calls[0].abort();
        }
        let (took, result) = calls.pop().unwrap().await.unwrap();
        assert_eq!((took, result.unwrap()), (secs(if served { 20 } else { 10 }), 200));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_holds_no_place() {
    let budget = one_in_ten_seconds();
    spend(&budget).await;
    let bulkhead = BulkheadLayer::new(1);
    let places = bulkhead.handle();
    let provider = Script::new([Answer::status(503).body("down"), Answer::status(200)]);
    let service = job(&budget).layer(bulkhead.layer(provider));
    let call = begin({
        let service = service.clone();
        async move { status(&service, get()).await }
    });
    let call = call.await;
    assert!(!call.is_finished());
    assert_eq!(places.in_use(), 0);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(call.await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_while_it_is_kept_breaks_for_the_caller() {
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::StreamBody;
    let budget = one_in_ten_seconds();
    spend(&budget).await;
    let broken = tower::service_fn(|_: http::Request<_>| async {
        let parts: [Result<_, std::io::Error>; 2] =
            [Ok(http_body::Frame::data(Bytes::from_static(b"one"))), Err(ConnectionReset.into())];
        let body = Body::new(StreamBody::new(stream::iter(parts)));
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        Ok::<_, outrigger::Error>(response)
    });
    let service = job(&budget).max_elapsed(secs(5)).layer(broken);
    let request: http::Request<Body> = get();
    let response = send(&service, request).await.unwrap();
    assert_eq!(response.status(), 502);
    let error = Body::new(response.into_body()).text().await.unwrap_err();
    assert!(!error.is_rejected(), "{error}");
}
