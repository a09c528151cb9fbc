//! A provider that fails or is slow is left in peace, while stale answers are given.

use std::time::Duration;

use http::Method;
use outrigger::cache::CacheOutcome;
use outrigger::context::CallDeadline;
use outrigger::testing::{Answer, Script};

use super::origin::{RATE, ask, cached, fresh, get, integration, is, layer, request, send, wait};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_left_in_peace_while_stale_answers_are_given() {
    let provider = Script::by({
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            true => cached("a", "max-age=1, stale-if-error=7200"),
            false => Answer::status(503),
        }
    });
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(2).await;
    for _ in 0..3_600 {
        is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
        wait(1).await;
    }
    let asked = provider.requests().len();
    assert!((100..600).contains(&asked), "{asked} requests in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_runs_out_gets_the_stale_answer_and_the_next_ones_get_it_at_once() {
    let hangs = Answer::status(200).after(SECOND * 3600);
    let provider = Script::new([cached("a", "max-age=10, stale-if-error=600"), hangs]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let soon = || {
        let mut request = get(RATE);
        request.extensions_mut().insert(CallDeadline::after(SECOND));
        request
    };
    let began = tokio::time::Instant::now();
    is(&send(&rates, soon()).await.unwrap(), CacheOutcome::StaleIfError, "a");
    assert_eq!(began.elapsed(), Duration::from_millis(900));
    is(&send(&rates, soon()).await.unwrap(), CacheOutcome::StaleIfError, "a");
    assert_eq!(began.elapsed(), Duration::from_millis(900));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_for_callers_who_left_with_a_stale_answer() {
    let slow = fresh("b").after(Duration::from_millis(1_500));
    let provider = Script::new([cached("a", "max-age=10, stale-if-error=600"), slow]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let soon = || {
        let mut request = get(RATE);
        request.extensions_mut().insert(CallDeadline::after(Duration::from_millis(20)));
        send(&rates, request)
    };
    for got in <[_; 3]>::from(tokio::join!(soon(), soon(), soon())) {
        is(&got.unwrap(), CacheOutcome::StaleIfError, "a");
    }
    wait(2).await;
    is(&ask(&rates).await, CacheOutcome::Hit, "b");
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_too_slow_for_one_caller_is_left_in_peace_for_a_second_at_most() {
    let hangs = Answer::status(200).after(SECOND * 3600);
    let provider = Script::new([cached("a", "max-age=10, stale-if-error=600"), hangs]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let within = |limit: u64| {
        let mut request = get(RATE);
        request.extensions_mut().insert(CallDeadline::after(Duration::from_millis(limit)));
        send(&rates, request)
    };
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (rates, mut request) = (rates.clone(), get(RATE));
        request.extensions_mut().insert(CallDeadline::after(Duration::from_millis(20)));
        calls.spawn(async move { send(&rates, request).await.unwrap() });
    }
    calls.join_all().await;
    wait(1).await;
    let began = tokio::time::Instant::now();
    is(&within(500).await.unwrap(), CacheOutcome::StaleIfError, "a");
    assert_eq!(began.elapsed(), Duration::from_millis(450), "it is asked, or waited for, again");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_error_for_a_window_is_none_while_the_provider_is_left_in_peace() {
    let provider = Script::by({
        let mut first = true;
        move |_| match std::mem::take(&mut first) {
            true => cached("a", "max-age=10, stale-if-error=600"),
            false => Answer::status(429),
        }
    });
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    for _ in 0..3 {
        assert_eq!(ask(&rates).await.head.status(), 429);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_leaves_a_provider_in_peace_that_just_failed() {
    let stored = cached("a", "max-age=10, stale-if-error=600");
    let provider = Script::new([stored, Answer::status(503)]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
    let head = send(&rates, request(Method::HEAD, RATE)).await.unwrap();
    is(&head, CacheOutcome::StaleIfError, "");
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_a_gets_patience_and_leaves_the_next_calls_to_the_stale_answer() {
    let stored = || cached("a", "max-age=10, stale-if-error=600");
    let provider = Script::new([stored(), Answer::status(200).after(SECOND * 3600)]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let mut late = request(Method::HEAD, RATE);
    late.extensions_mut().insert(CallDeadline::after(SECOND));
    let began = tokio::time::Instant::now();
    is(&send(&rates, late).await.unwrap(), CacheOutcome::StaleIfError, "");
    assert_eq!(began.elapsed(), Duration::from_millis(900));
    is(&ask(&rates).await, CacheOutcome::StaleIfError, "a");
    assert_eq!((provider.begun(), began.elapsed()), (2, Duration::from_millis(900)));
    // And one that is answered by an error.
    let provider = Script::new([stored(), Answer::status(503)]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    for _ in 0..100 {
        let head = send(&rates, request(Method::HEAD, RATE)).await.unwrap();
        is(&head, CacheOutcome::StaleIfError, "");
    }
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_moment_of_failures_is_one_however_many_calls_ran_in_it() {
    let stored = cached("a", "max-age=10, stale-if-error=600");
    let mut number = 0;
    let provider = Script::by(move |_| {
        number += 1;
        match number {
            1 => stored.clone(),
            2..=21 => Answer::status(503).after(Duration::from_millis(number)),
            _ => fresh("b"),
        }
    });
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    wait(20).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (rates, mut request) = (rates.clone(), get(RATE));
        request.headers_mut().insert("cache-control", "max-age=0".parse().unwrap());
        calls.spawn(async move { send(&rates, request).await.unwrap() });
    }
    calls.join_all().await;
    assert_eq!(provider.begun(), 21);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    is(&ask(&rates).await, CacheOutcome::Miss, "b");
}
