//! Background refreshes let people go first, and end with the integration.

use std::time::Duration;

use outrigger::Integration;
use outrigger::backoff::Backoff;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::cache::CacheOutcome;
use outrigger::testing::{Answer, Script};

use super::origin::{RATE, ask, cached, get, is, layer, send, wait};

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_goes_before_a_refresh_that_came_sooner() {
    let provider = Script::by(|seen| {
        let slow = seen.uri().path() == "/slow";
        Answer::status(200)
            .header("cache-control", "max-age=1, stale-while-revalidate=60")
            .after(Duration::from_secs(u64::from(slow)))
    });
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .bulkhead(|_| BulkheadLayer::new(1).queue(10))
        .service(provider.clone())
        .build()
        .unwrap();
    ask(&rates).await;
    wait(5).await;
    let (slow, other) = ("http://rates.test/slow", "http://rates.test/other");
    let holds = tokio::spawn({
        let rates = rates.clone();
        async move { send(&rates, get(slow)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // It is given the stale answer, and its refresh queues.
    ask(&rates).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    send(&rates, get(other)).await.unwrap();
    holds.await.unwrap();
    wait(1).await;
    let paths: Vec<_> = provider.requests().iter().map(|seen| seen.uri().to_string()).collect();
    assert_eq!(paths, [RATE, slow, other, RATE]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_its_integration() {
    let provider = Script::by({
        let mut number = 0;
        move |_| {
            number += 1;
            let answer = Answer::status(200);
            let answer = answer.header("cache-control", "max-age=1, stale-while-revalidate=60");
            if number == 1 { answer } else { Answer::hang() }
        }
    });
    let rates = Integration::user_flow("rates").cache(layer()).service(provider.clone());
    let rates = rates.build().unwrap();
    ask(&rates).await;
    wait(5).await;
    ask(&rates).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(provider.begun(), 2);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks(), 1);
    drop(rates);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(tasks(), 0);
}

/// One place, which `/slow` holds for a second. A rate may be stale for five seconds while it is refreshed, and
/// for an hour if that fails.
fn with_one_place(queue: u32) -> (Script, Integration) {
    let provider = Script::by(|seen| {
        let slow = seen.uri().path() == "/slow";
        let control = "max-age=1, stale-while-revalidate=5, stale-if-error=3600";
        cached("", control).after(Duration::from_secs(u64::from(slow)))
    });
    let rates = Integration::user_flow("rates")
        .without_retry()
        .without_deadline()
        .cache(layer())
        .bulkhead(|_| BulkheadLayer::new(1).queue(queue))
        .service(provider.clone())
        .build()
        .unwrap();
    (provider, rates)
}

/// Holds the place, or queues for it.
async fn hold(rates: &Integration) -> tokio::task::JoinHandle<()> {
    let rates = rates.clone();
    let held = tokio::spawn(async move {
        let mut request = get("http://rates.test/slow");
        request.headers_mut().insert("cache-control", "no-store".parse().unwrap());
        send(&rates, request).await.unwrap();
    });
    pass(1).await;
    held
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_was_refused_here_keeps_no_call_from_asking_the_provider() {
    let (provider, rates) = with_one_place(0);
    ask(&rates).await;
    pass(5_980).await;
    let holds = hold(&rates).await;
    // Its refresh finds the bulkhead full.
    is(&ask(&rates).await, CacheOutcome::StaleWhileRevalidate, "");
    pass(1).await;
    holds.abort();
    pass(30).await;
    is(&ask(&rates).await, CacheOutcome::Miss, "");
    assert_eq!(provider.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_behind_a_refresh_that_waits_for_its_turn() {
    let (provider, rates) = with_one_place(10);
    ask(&rates).await;
    pass(5_900).await;
    let before = [hold(&rates).await, hold(&rates).await];
    is(&ask(&rates).await, CacheOutcome::StaleWhileRevalidate, "");
    pass(200).await;
    let rate = tokio::spawn({
        let rates = rates.clone();
        async move { ask(&rates).await }
    });
    pass(1).await;
    let late = hold(&rates).await;
    is(&rate.await.unwrap(), CacheOutcome::Miss, "");
    assert!(before.iter().all(tokio::task::JoinHandle::is_finished) && !late.is_finished());
    late.await.unwrap();
    wait(1).await;
    let asked = provider.requests().iter().filter(|seen| seen.uri().path() == "/eur").count();
    assert_eq!(asked, 2, "the refresh has ended");
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_for_a_refresh_that_waits_for_its_next_attempt() {
    let stored = cached("a", "max-age=1, stale-while-revalidate=5");
    let provider = Script::new([stored, Answer::status(503), cached("b", "max-age=60")]);
    let rates = Integration::background("rates")
        .retry(|retry| retry.backoff(Backoff::fixed(Duration::from_secs(20))))
        .without_rate_limit()
        .without_breaker()
        .cache(layer())
        .service(provider.clone())
        .build()
        .unwrap();
    ask(&rates).await;
    pass(5_500).await;
    is(&ask(&rates).await, CacheOutcome::StaleWhileRevalidate, "a");
    pass(1_000).await;
    assert_eq!(provider.begun(), 2, "the refresh has failed once");
    let began = tokio::time::Instant::now();
    is(&ask(&rates).await, CacheOutcome::Miss, "b");
    assert_eq!(began.elapsed(), Duration::ZERO);
}
