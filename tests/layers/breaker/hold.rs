//! Calls that wait while nothing answers, instead of being refused.

use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, Request};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, WhenOpen};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::event::Event;
use outrigger::outcome::Rejection;
use outrigger::testing::Answer;
use outrigger::{Body, Delivery, ErrorKind, Ratio};
use tower::{Layer, ServiceBuilder};

use super::Guarded;
use crate::call::{get, status};
use crate::clock::{begin, millis, secs, settle, wait, within};
use crate::provider::Provider;

/// Opens after ten failures, tries each second, and holds calls meanwhile.
fn holding() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
        .no_success_for(Duration::ZERO)
        .open_for(secs(1), secs(60))
        .open_jitter(Ratio::ZERO)
        .when_open(WhenOpen::Hold)
}

type Call = tokio::task::JoinHandle<Result<u16, outrigger::Error>>;

impl Guarded {
    async fn start(&self, calls: usize) -> Vec<Call> {
        let mut started = Vec::new();
        for _ in 0..calls {
            let service = self.service.clone();
            started.push(begin(async move { status(&service, get()).await }).await);
        }
        started
    }
}

async fn statuses(calls: Vec<Call>) -> Vec<u16> {
    join_all(calls).await.into_iter().map(|call| call.unwrap().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn while_nothing_answers_calls_wait_and_one_probes_each_second() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    assert_eq!(crm.state(), Open);
    let calls = crm.start(50).await;
    assert_eq!(crm.handle.counts().held, 50);
    wait(millis(10_500)).await;
    assert_eq!(crm.provider.begun(), 20, "ten probes in ten seconds");
    assert_eq!(crm.handle.counts().held, 40, "a probe that fails is its own call's result");
    crm.provider.set(Answer::status(200));
    let answers = statuses(calls).await;
    let good = answers.iter().filter(|status| **status == 200).count();
    assert_eq!((good, crm.state()), (40, Closed));
    assert_eq!(crm.handle.counts().rejected, 0);
}

#[tokio::test(start_paused = true)]
async fn those_who_were_held_go_one_at_a_time_and_then_twice_as_many_each_second() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let calls = crm.start(1_000).await;
    crm.provider.set(Answer::status(200).after(millis(100)));
    wait(millis(1_200)).await;
    // The probe took 100 ms; since then one at a time.
    let mut by_second = Vec::new();
    let mut before = crm.provider.begun();
    for _ in 0..4 {
        wait(secs(1)).await;
        by_second.push(crm.provider.begun() - before);
        before = crm.provider.begun();
    }
    let doubling = by_second.windows(2).all(|pair| pair[1] >= pair[0] * 3 / 2);
    assert!(by_second[0] <= 20 && doubling, "{by_second:?}");
    assert_eq!(statuses(calls).await.len(), 1_000);
    crm.succeed(1).await;
    assert_eq!(crm.handle.counts().held, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_while_others_are_held_waits_behind_them() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let first = crm.start(3).await;
    crm.provider.set(Answer::status(200).after(millis(100)));
    wait(millis(1_150)).await;
    assert_eq!(crm.state(), Closed);
    let late = crm.start(1).await;
    assert_eq!(crm.handle.counts().held, 2, "one of the three has gone since, and the late waits");
    wait(millis(180)).await;
    assert!(first.iter().all(Call::is_finished) && !late[0].is_finished());
    assert_eq!(statuses(late).await, [200]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_held_leaves_no_gap() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let calls = crm.start(100).await;
    for call in calls.iter().step_by(2) {
        call.abort();
    }
    settle().await;
    assert_eq!(crm.handle.counts().held, 50);
    crm.provider.set(Answer::status(200));
    let done = join_all(calls).await.into_iter().filter(Result::is_ok).count();
    assert_eq!((done, crm.provider.begun()), (50, 60));
}

#[tokio::test(start_paused = true)]
async fn a_held_call_that_is_not_polled_when_it_may_go_holds_up_nobody_for_long() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let service = crm.service.clone();
    let mut idle = Box::pin(async move { status(&service, get()).await });
    assert!(futures_util::poll!(idle.as_mut()).is_pending());
    let others = crm.start(10).await;
    crm.provider.set(Answer::status(200));
    let answers = within(secs(30), statuses(others)).await.unwrap();
    assert_eq!(answers, [200; 10]);
    assert_eq!(idle.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_safe_call_is_the_probe_though_others_came_before_it() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let service = crm.service.clone();
    let post = || Request::builder().method(Method::POST).body(Body::empty()).unwrap();
    let posted = begin(async move { status(&service, post()).await }).await;
    let safe = crm.start(1).await;
    wait(secs(1)).await;
    assert_eq!(statuses(safe).await, [500]);
    assert!(!posted.is_finished());
    posted.abort();
}

#[tokio::test(start_paused = true)]
async fn a_held_call_ends_with_its_deadline_and_was_never_sent() {
    let layer = holding();
    let provider = Provider::new(Answer::status(500));
    let service = DeadlineLayer::new(secs(90)).layer(layer.layer(provider.clone()));
    for _ in 0..10 {
        status(&service, get()).await.unwrap();
    }
    layer.handle().force_open();
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen), "and says why");
    assert_eq!(error.elapsed(), Some(secs(90)));
    assert_eq!((layer.handle().counts().held, provider.begun()), (0, 10));
}

#[tokio::test(start_paused = true)]
async fn holding_costs_no_wake_ups_of_those_who_wait() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    crm.provider.set(Answer::status(500));
    let polls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut calls = Vec::new();
    for _ in 0..2_000 {
        let (service, polls) = (crm.service.clone(), polls.clone());
        calls.push(
            begin(async move {
                let mut call = Box::pin(status(&service, get()));
                std::future::poll_fn(|cx| {
                    polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    call.as_mut().poll(cx)
                })
                .await
            })
            .await,
        );
    }
    use std::future::Future;
    wait(secs(600)).await;
    let polls = polls.load(std::sync::atomic::Ordering::Relaxed);
    assert!(polls < 2_000 + 3 * 600, "{polls} polls: one to begin with, and a few for each probe");
    calls.into_iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn who_waited_in_a_queue_asks_the_breaker_again_before_it_goes() {
    let breaker = CircuitBreakerLayer::new().no_success_for(Duration::ZERO);
    let provider = Provider::new(Answer::status(500).after(secs(1)));
    let service = ServiceBuilder::new()
        .layer(breaker.clone())
        .layer(BulkheadLayer::new(10).queue(100))
        .service(provider.clone());
    let calls = (0..110).map(|_| status(&service, get()));
    let results = join_all(calls).await;
    assert_eq!(provider.begun(), 10, "those who had waited don't go to a provider that is down");
    let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 100);
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
        assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_moves_it_by_hand() {
    let crm = Guarded::by(CircuitBreakerLayer::new().open_jitter(Ratio::ZERO));
    crm.handle.force_open_for(secs(30));
    assert_eq!((crm.state(), crm.handle.forced()), (Open, None));
    wait(secs(10)).await;
    let error = crm.call().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "crm: circuit breaker open for api.example:443: opened by hand 10.0s ago; the next try is in 20.0s"
    );
    wait(secs(20)).await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);

    crm.handle.force_half_open();
    assert_eq!(crm.state(), HalfOpen);
    crm.fail(1).await;
    assert_eq!(crm.state(), Open, "a probe that fails keeps it open");
    crm.handle.reset();
    assert_eq!((crm.state(), crm.handle.counts().calls), (Closed, 0));
    assert_eq!(crm.handle.open_for(), None);
}

#[tokio::test(start_paused = true)]
async fn a_handle_makes_it_report_only_and_back() {
    let crm = Guarded::by(CircuitBreakerLayer::new().no_success_for(Duration::ZERO));
    crm.handle.report_only();
    crm.fail(30).await;
    assert_eq!((crm.state(), crm.provider.begun()), (Open, 30));
    assert_eq!(crm.events.count(|event| *event == Event::BreakerWouldReject), 20);
    crm.handle.enforce();
    assert!(crm.call().await.is_err());
    crm.handle.report_only();
    crm.handle.release();
    assert!(crm.call().await.is_err(), "the settings hold again");
}

#[tokio::test(start_paused = true)]
async fn those_who_are_held_go_once_a_handle_closes_it() {
    let crm = Guarded::by(holding());
    crm.handle.force_open();
    let calls = crm.start(20).await;
    wait(secs(120)).await;
    assert_eq!((crm.provider.begun(), crm.handle.counts().held), (0, 20));
    crm.handle.release();
    assert_eq!(statuses(calls).await, [200; 20]);
}

#[tokio::test(start_paused = true)]
async fn where_no_call_may_be_repeated_one_of_them_tries_the_provider_all_the_same() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let post = || Request::builder().method(Method::POST).body(Body::empty()).unwrap();
    let mut posts = Vec::new();
    for _ in 0..5 {
        let service = crm.service.clone();
        posts.push(begin(async move { status(&service, post()).await }).await);
    }
    crm.provider.set(Answer::status(200));
    assert_eq!(statuses(posts).await, [200; 5]);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_when_it_is_forced_open_is_not_sent() {
    let crm = Guarded::by(holding());
    crm.fail(10).await;
    let calls = crm.start(5).await;
    wait(millis(999)).await;
    // The first may go in this instant, and is stopped before it does.
    let before = crm.provider.begun();
    crm.handle.force_open();
    wait(secs(600)).await;
    assert_eq!((crm.provider.begun(), crm.handle.counts().held), (before, 5));
    crm.provider.set(Answer::status(200));
    crm.handle.release();
    assert_eq!(statuses(calls).await, [200; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_the_outage_does_not_say_that_nothing_answers() {
    let layer = holding();
    let provider = Provider::new(Answer::status(500));
    let service = DeadlineLayer::new(secs(5)).layer(layer.layer(provider.clone()));
    for _ in 0..10 {
        status(&service, get()).await.unwrap();
    }
    provider.set(Answer::status(200).after(secs(1)));
    let calls = (0..200).map(|_| status(&service, get()));
    let refused: Vec<_> = join_all(calls).await.into_iter().filter_map(Result::err).collect();
    assert!(!refused.is_empty());
    for error in refused {
        let said = error.to_string();
        assert!(error.is_timeout() || said.contains("calls that were held before it"), "{said}");
    }
}
