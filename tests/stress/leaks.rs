//! A hundred thousand calls of every kind, after which nothing is counted any more and nothing is kept.

use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt;
use outrigger::hedge::HedgeLayer;
use outrigger::retry::RetryBudget;
use outrigger::{Integration, Ratio};

use crate::provider::Provider;
use crate::threads::request;

/// Calls at a time.
const AT_ONCE: usize = 20;
const CALLS: usize = 100_000;
/// Calls that fill pools and let maps grow.
const WARM_UP: usize = 20_000;
/// What pools may hold more in the end than they did after the warm-up.
const SLACK: i64 = 64 * 1024;

/// What a call meets, most of them an answer.
const PATHS: [&str; 20] = [
    "/answers",
    "/answers",
    "/sometimes",
    "/answers",
    "/unavailable",
    "/answers",
    "/refused",
    "/answers",
    "/breaks",
    "/answers",
    "/slow",
    "/answers",
    "/answers",
    "/sometimes",
    "/answers",
    "/answers",
    "/hangs",
    "/answers",
    "/silent",
    "/answers",
];

fn integration(provider: Provider) -> Integration {
    Integration::user_flow("stripe")
        .service(provider)
        .hedge(HedgeLayer::after(Duration::from_secs(1)))
        .retry(|retry| retry.budget(RetryBudget::under_way(Ratio::percent(50), 3)))
        .bulkhead(|places| places.concurrency(18).queue(10).queue_wait(Duration::from_secs(5)))
        .build()
        .unwrap()
}

/// One call; what its caller does with it depends on its number. Whether it was answered to the end.
async fn call(integration: &Integration, number: usize) -> bool {
    // Rarely: the rate limit holds back for a while after it.
    let is_throttled = number.is_multiple_of(1_009);
    let path = if is_throttled { "/throttled" } else { PATHS[number % PATHS.len()] };
    let call = integration.send(request(path));
    if number.is_multiple_of(7) {
        drop(futures_util::poll!(Box::pin(call)));
        return false;
    }
    match call.await {
        Ok(_) if number.is_multiple_of(3) => false,
        Ok(answer) => answer.into_body().collect().await.is_ok(),
        Err(_) => false,
    }
}

/// How many of the calls were answered to the end.
async fn calls(integration: &Integration, numbers: std::ops::Range<usize>) -> usize {
    let mut answered = 0;
    for first in numbers.step_by(AT_ONCE) {
        let all = (first..first + AT_ONCE).map(|number| call(integration, number));
        answered += join_all(all).await.into_iter().filter(|answered| *answered).count();
    }
    // What is drained or told in the background is over by then.
    tokio::time::sleep(Duration::from_secs(60)).await;
    answered
}

#[test]
fn after_a_hundred_thousand_calls_nothing_is_left() {
    let builder = &mut tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let provider = Provider::default();
    let integration = integration(provider.clone());
    runtime.block_on(calls(&integration, 0..WARM_UP));
    let mut answered = 0;
    let held = allocation_counter::measure(|| {
        answered = runtime.block_on(calls(&integration, WARM_UP..CALLS));
    });
    assert!(answered > CALLS / 4, "only {answered} were answered: the others tried nothing");
    assert!(held.bytes_current < SLACK, "{} bytes are kept", held.bytes_current);

    let health = integration.health();
    assert_eq!((health.bulkhead.in_use, health.bulkhead.waiting), (0, 0));
    assert_eq!((health.rate_limit.waiting, integration.rate_limit().in_flight()), (0, 0));
    assert_eq!((health.retries_saved, provider.here()), (Some(3), 0));
    assert!(integration.hedge().counts().sent > 0, "no second request was tried");
}
