//! The one order of the layers, by what can be seen of it.

use std::time::Duration;

use outrigger::backoff::Backoff;
use outrigger::circuit_breaker::Consecutive;
use outrigger::event::{BreakerState, End, Event};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::integration::OwnClient;
use outrigger::outcome::{Class, GaveUp, Phase, Rejection};
use outrigger::retry::{Retries, RetryBudget};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Delivery, ErrorKind, Integration, IntegrationBuilder};

use crate::call::{failure, get, hold, millis, once, poll_once, post, read, seconds, status};
use crate::provider::{Provider, Reply};

fn one_place() -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("crm").bulkhead(|bulkhead| bulkhead.concurrency(1).queue(1))
}

fn five_attempts(wait: Duration) -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("crm").retry(|retry| {
        retry.max_attempts(5).backoff(Backoff::fixed(wait)).budget(RetryBudget::unlimited())
    })
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_queue_and_leaves_time_for_an_attempt() {
    let provider = Script::new([Answer::hang()]);
    let crm = one_place().deadline(seconds(5)).service(provider.clone());
    let crm = crm.build().unwrap();
    let _held = hold(&crm, 1);
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::QueueTimeout));
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!((took, provider.begun()), (millis(2_500), 1));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_waits_between_attempts() {
    let provider = Script::new([Answer::status(500)]);
    let crm = five_attempts(seconds(3)).service(provider.clone());
    let began = tokio::time::Instant::now();
    let response = read(crm.build().unwrap().send(get())).await.unwrap();
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!(retries.gave_up, Some(GaveUp::Deadline));
    assert_eq!((began.elapsed(), provider.begun()), (seconds(6), 3));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_attempts_and_body_together() {
    let slow = Reply::status(200).after(seconds(2)).frames(9, seconds(2));
    let provider = Provider::new([Reply::status(500).after(seconds(2)), slow]);
    let crm = five_attempts(millis(100)).service(provider).build().unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!((error.attempts(), took), (2, seconds(8)));
}

#[tokio::test(start_paused = true)]
async fn an_attempts_time_is_counted_without_the_queue() {
    let provider = Script::new([Answer::status(200).after(millis(2_500))]);
    let crm = one_place().service(provider).build().unwrap();
    let (first, second) = tokio::join!(status(crm.send(once())), status(crm.send(once())));
    assert_eq!(first, (200, millis(2_500)));
    // Over three seconds in all, and no attempt was.
    assert_eq!(second, (200, millis(5_000)));
}

#[tokio::test(start_paused = true)]
async fn all_attempts_have_one_key() {
    let failures = [(); 4].map(|()| Answer::status(500));
    let provider = Script::new(failures.into_iter().chain([Answer::status(200)]));
    let crm = Integration::background("crm")
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        .retry(|retry| retry.budget(RetryBudget::unlimited()))
        .service(provider.clone())
        .build()
        .unwrap();
    read(crm.send(post())).await.unwrap();
    let mut keys: Vec<_> = provider
        .requests()
        .iter()
        .map(|request| request.headers()["idempotency-key"].clone())
        .collect();
    assert_eq!(keys.len(), 5);
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_counts_attempts() {
    let provider = Script::new([Answer::status(500), Answer::status(500), Answer::status(200)]);
    let crm = five_attempts(millis(10)).service(provider).build().unwrap();
    read(crm.send(get())).await.unwrap();
    let counts = crm.breaker().counts();
    assert_eq!((counts.calls, counts.failed), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_ends_the_attempts_of_the_call_that_opened_it() {
    let provider = Script::new([Answer::status(500)]);
    let crm = five_attempts(millis(10))
        .breaker(|breaker| {
            breaker.consecutive(Consecutive::Always(2)).no_success_for(Duration::ZERO)
        })
        .service(provider.clone())
        .build()
        .unwrap();
    // A third would only be refused, and the second's answer would be lost over it.
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!((response.status().as_u16(), provider.begun()), (500, 2));
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (2, Some(GaveUp::CircuitOpen)));
    assert_eq!(crm.breaker().counts().rejected, 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_another_calls_failure_shut_out_says_that_it_was_answered() {
    let provider = Script::new([Answer::status(500)]);
    let crm = five_attempts(millis(10))
        .breaker(|breaker| {
            breaker.consecutive(Consecutive::Always(5)).no_success_for(Duration::ZERO)
        })
        .service(provider.clone())
        .build()
        .unwrap();
    let mut call = crm.send(get());
    assert!(poll_once(&mut call).is_pending(), "it waits for its second attempt");
    crm.breaker().force_open();
    let (error, _) = failure(call).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    // The refused attempt was never sent, but one was answered.
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Answered, 1));
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(500));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_takes_no_place_and_does_not_queue() {
    let crm = one_place().service(Script::new([Answer::hang()])).build().unwrap();
    let _held = hold(&crm, 2);
    crm.breaker().force_open();
    for _ in 0..3 {
        let (error, took) = failure(crm.send(get())).await;
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
        assert_eq!(took, Duration::ZERO);
    }
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_says_nothing_about_the_provider() {
    let crm = one_place().service(Script::new([Answer::hang()])).build().unwrap();
    let _held = hold(&crm, 2);
    for _ in 0..50 {
        let (error, _) = failure(crm.send(get())).await;
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
        assert_eq!((error.attempts(), error.delivery()), (0, Delivery::NotSent));
    }
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
    assert_eq!(crm.breaker().counts().calls, 0);
}

#[tokio::test(start_paused = true)]
async fn no_place_is_held_between_attempts() {
    let provider = Script::new([Answer::status(500), Answer::status(200)]);
    let crm = five_attempts(seconds(2))
        .bulkhead(|bulkhead| bulkhead.concurrency(1))
        .service(provider)
        .build()
        .unwrap();
    let waiting = tokio::spawn(read(crm.send(get())));
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(crm.bulkhead().in_use(), 0);
    assert_eq!(status(crm.send(get())).await.0, 200);
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_until_the_body_was_read() {
    let provider = Provider::new([Reply::status(200).frames(3, seconds(1))]);
    let crm = one_place().service(provider).build().unwrap();
    let response = crm.send(get()).await.unwrap();
    assert_eq!(crm.bulkhead().in_use(), 1);
    response.into_body().bytes().await.unwrap();
    assert_eq!(crm.bulkhead().in_use(), 0);
    drop(crm.send(get()).await.unwrap());
    assert_eq!(crm.bulkhead().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_body_speaks_against_the_provider() {
    let told = EventRecorder::new();
    let provider = Provider::new([Reply::status(200).frames(1, seconds(7))]);
    let crm = one_place().subscriber(told.clone()).service(provider);
    let crm = crm.build().unwrap();
    failure(crm.send(get())).await;
    assert_eq!(crm.breaker().counts().failed, 1);
    assert_eq!(crm.bulkhead().in_use(), 0);
    let idle = End::Failed { class: Class::Timeout(Phase::BodyIdle), delivery: Delivery::Answered };
    let ends = |event: &Event| match event {
        Event::AttemptFinished { end, .. } | Event::CallFinished { end, .. } => *end == idle,
        _ => false,
    };
    assert_eq!(told.count(ends), 2, "{:#?}", told.events());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_told_once_it_has_its_place_and_its_end_is_the_timeouts() {
    let told = EventRecorder::new();
    let crm = one_place().subscriber(told.clone()).without_retry();
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    let mut held = hold(&crm, 2);
    let queued = held.pop().unwrap();
    let started = |event: &Event| matches!(event, Event::AttemptStarted);
    assert_eq!(told.count(started), 1);
    drop(held);
    let (error, took) = failure(queued).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!((told.count(started), took), (2, seconds(3)));
    let late = Class::Timeout(Phase::Attempt);
    let ended = |event: &Event| matches!(event, Event::AttemptFinished { end: End::Failed { class, .. }, .. } if *class == late);
    assert_eq!(told.count(ended), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_sees_is_told_of_the_call() {
    let told = EventRecorder::new();
    let crm = one_place().subscriber(told.clone()).deadline(seconds(4));
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    let _held = hold(&crm, 1);
    failure(crm.send(get())).await;
    let class = Class::Rejected(Rejection::QueueTimeout);
    let late = End::Failed { class, delivery: Delivery::NotSent };
    let seen = |event: &Event| matches!(event, Event::CallFinished { end, elapsed, .. } if *end == late && *elapsed == seconds(2));
    assert_eq!(told.count(seen), 1, "{:#?}", told.events());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_in_the_queue_made_no_attempt() {
    let told = EventRecorder::new();
    let crm = one_place().subscriber(told.clone()).deadline(seconds(4));
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    let _held = hold(&crm, 1);
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.attempts(), 0);
    let made =
        |event: &Event| matches!(event, Event::CallFinished { attempts, .. } if *attempts > 0);
    assert_eq!(told.count(made), 0, "{:#?}", told.events());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_dropped_in_the_queue_made_no_attempt() {
    let told = EventRecorder::new();
    let crm = one_place().subscriber(told.clone());
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    let mut held = hold(&crm, 2);
    drop(held.pop());
    let made =
        |event: &Event| matches!(event, Event::CallFinished { attempts, .. } if *attempts > 0);
    assert_eq!(told.count(made), 0, "{:#?}", told.events());
}
