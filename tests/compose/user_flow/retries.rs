use std::time::Duration;

use http::Response;
use outrigger::event::Event;
use outrigger::outcome::GaveUp;
use outrigger::retry::{Retries, RetryBudget};
use outrigger::testing::{Answer, EventRecorder, Script};

use super::preset;
use crate::call::{get, millis, post, read, seconds, status};

fn retries<B>(response: &Response<B>) -> Retries {
    *response.extensions().get().expect("what it took")
}

#[tokio::test(start_paused = true)]
async fn a_call_has_two_attempts() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(retries(&response).gave_up, Some(GaveUp::Attempts));
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_retry_a_call_has_one_attempt() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().without_retry().service(provider.clone());
    read(crm.build().unwrap().send(get())).await.unwrap();
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_post_without_a_key_is_not_sent_twice() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let response = read(crm.send(post())).await.unwrap();
    assert_eq!(retries(&response).gave_up, Some(GaveUp::NotSafe));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_at_most_fifty_milliseconds_and_spread() {
    let told = EventRecorder::new();
    let crm = preset()
        .without_breaker()
        .retry(|retry| retry.budget(RetryBudget::unlimited()))
        .subscriber(told.clone())
        .service(Script::new([Answer::status(500)]))
        .build()
        .unwrap();
    for _ in 0..50 {
        read(crm.send(get())).await.unwrap();
    }
    let delays: Vec<Duration> = told
        .events()
        .iter()
        .filter_map(|event| match event {
            Event::RetryScheduled { delay, .. } => Some(*delay),
            _ => None,
        })
        .collect();
    assert_eq!(delays.len(), 50);
    assert!(delays.iter().all(|delay| *delay <= millis(50)));
    assert!(delays.iter().any(|delay| *delay > millis(25)));
    assert!(delays.iter().any(|delay| *delay < millis(25)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_that_fits_the_deadline_is_waited_for() {
    let busy = Answer::status(503).header("retry-after", "2");
    let crm = preset().service(Script::new([busy, Answer::status(200)]));
    let (status, took) = status(crm.build().unwrap().send(get())).await;
    assert_eq!(status, 200);
    assert!((seconds(2)..=seconds(3)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_returned_at_once() {
    for asked in ["9", "600", "3600"] {
        let provider = Script::new([Answer::status(503).header("retry-after", asked)]);
        let crm = preset().service(provider.clone()).build().unwrap();
        let began = tokio::time::Instant::now();
        let response = read(crm.send(get())).await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(response.headers()["retry-after"], asked);
        assert_eq!(retries(&response).gave_up, Some(GaveUp::Deadline));
        assert_eq!(provider.begun(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_fifth_of_the_calls_and_ten_and_a_full_bucket() {
    let provider = Script::new([Answer::status(500)]);
    let failing = preset().without_breaker().service(provider.clone());
    let crm = failing.build().unwrap();
    for _ in 0..99 {
        read(crm.send(get())).await.unwrap();
    }
    // The first call finds the bucket full, and adds nothing to it.
    assert_eq!(provider.begun(), 99 + 20 + 98 / 5 + 10);
    let response = read(crm.send(get())).await.unwrap();
    assert_eq!(retries(&response).gave_up, Some(GaveUp::Budget));
}
