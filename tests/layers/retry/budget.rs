//! How much of the traffic may be retries.

use outrigger::Ratio;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::outcome::GaveUp;
use outrigger::retry::{Retries, RetryBudget};
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use tower::{Layer, ServiceBuilder};

use super::plain;
use crate::call::{get, send, status};
use crate::clock::{secs, spawn, wait};

/// Requests that a dead provider sees of so many calls, through a whole stack.
async fn load(budget: RetryBudget, calls: usize) -> usize {
    let provider = Script::new([Answer::status(500)]);
    let service = ServiceBuilder::new()
        .layer(CorrelationLayer::new())
        .layer(DeadlineLayer::new(secs(60)))
        .layer(IdempotencyLayer::default())
        .layer(plain().max_attempts(10).budget(budget))
        .layer(CircuitBreakerLayer::disabled())
        .layer(BulkheadLayer::new(64))
        .layer(TimeoutLayer::new().attempt(secs(3)))
        .layer(IdleTimeoutLayer::new(secs(3)))
        .service(provider.clone());
    for _ in 0..calls {
        assert_eq!(status(&service, get()).await.unwrap(), 500);
    }
    provider.begun()
}

#[tokio::test(start_paused = true)]
async fn a_ratio_is_kept_to_the_retry_over_a_whole_stack() {
    for percent in [0, 1, 10, 40, 51, 90, 100] {
        let budget = RetryBudget::new(Ratio::percent(percent), 0).burst(2);
        // The bucket begins full, so that the first call adds nothing to it.
        let expected = 1_000 + 2 + 999 * percent as usize / 100;
        assert_eq!(load(budget, 1_000).await, expected, "{percent} %");
    }
}

#[tokio::test(start_paused = true)]
async fn the_floor_is_a_number_in_a_period() {
    let budget = RetryBudget::new(Ratio::ZERO, 3).burst(0);
    assert_eq!(load(budget.clone(), 10).await, 13);
    wait(secs(9)).await;
    assert_eq!(load(budget.clone(), 10).await, 10);
    wait(secs(1)).await;
    assert_eq!(load(budget, 10).await, 13);
}

#[tokio::test(start_paused = true)]
async fn the_floors_period_is_a_setting() {
    let budget = RetryBudget::new(Ratio::ZERO, 1).burst(0).floor_period(secs(60));
    assert_eq!(load(budget.clone(), 10).await, 11);
    wait(secs(59)).await;
    assert_eq!(load(budget.clone(), 10).await, 10);
    wait(secs(1)).await;
    assert_eq!(load(budget, 10).await, 11);
}

#[tokio::test(start_paused = true)]
async fn without_traffic_there_is_only_the_floor() {
    let budget = RetryBudget::new(Ratio::percent(50), 3).burst(1);
    assert_eq!(load(budget.clone(), 1).await, 1 + 1 + 3);
    wait(secs(3_600)).await;
    // One call, which may be tried ten times: half a token of its own, and the floor.
    assert_eq!(load(budget, 1).await, 4);
}

#[tokio::test(start_paused = true)]
async fn a_success_gives_no_token_back() {
    let budget = RetryBudget::new(Ratio::ZERO, 10).burst(0).floor_period(secs(100_000));
    let flaky: Vec<_> = (0..100).flat_map(|_| [Answer::status(500), Answer::status(200)]).collect();
    let provider = Script::new(flaky);
    let service = plain().budget(budget).layer(provider.clone());
    for _ in 0..100 {
        let _ = status(&service, get()).await;
    }
    assert_eq!(provider.begun(), 110);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_saved_up_than_the_burst() {
    let budget = RetryBudget::new(Ratio::ONE, 0).burst(5);
    let provider = Script::new([Answer::status(200)]);
    let service = plain().budget(budget.clone()).layer(provider);
    for _ in 0..1_000 {
        assert_eq!(status(&service, get()).await.unwrap(), 200);
    }
    assert_eq!(budget.saved(), Some(5));
    assert_eq!(load(budget, 1).await, 1 + 5);
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_together_do_not_take_more_than_there_is() {
    let budget = RetryBudget::new(Ratio::percent(10), 0).burst(20);
    let provider = Script::new([Answer::status(500).after(secs(1))]);
    let service = plain().budget(budget).layer(provider.clone());
    let calls = (0..200).map(|_| {
        let service = service.clone();
        spawn(async move { status(&service, get()).await.unwrap() })
    });
    futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    assert_eq!(provider.begun(), 220);
}

#[tokio::test(start_paused = true)]
async fn the_bucket_is_full_at_the_start() {
    for burst in [0, 1, 20] {
        let budget = RetryBudget::new(Ratio::ZERO, 1).burst(burst);
        assert_eq!(budget.saved(), Some(burst));
        assert_eq!(load(budget, 30).await, 30 + burst as usize + 1, "and the floor");
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_is_a_fifth_of_the_calls_and_ten_in_ten_seconds_and_a_bucket_of_twenty() {
    let budget = RetryBudget::default();
    assert_eq!(load(budget.clone(), 100).await, 100 + 20 + 99 / 5 + 10);
    wait(secs(10)).await;
    assert_eq!(load(budget, 1).await, 1 + 9, "ten attempts at most, of the floor");
}

#[tokio::test(start_paused = true)]
async fn layers_with_one_budget_share_it() {
    let budget = RetryBudget::new(Ratio::ZERO, 4).burst(0);
    assert_eq!(load(budget.clone(), 1).await, 5);
    assert_eq!(load(budget, 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_returns_the_answer_and_says_so() {
    let budget = RetryBudget::new(Ratio::percent(1), 0).burst(0);
    let service = plain().budget(budget).layer(Script::new([Answer::status(500)]));
    let response = send(&service, get()).await.unwrap();
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::Budget)));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_tried_again_takes_nothing_out() {
    let budget = RetryBudget::new(Ratio::ZERO, 1).burst(0);
    let service = plain().budget(budget.clone()).layer(Script::new([Answer::status(404)]));
    for _ in 0..10 {
        assert_eq!(status(&service, get()).await.unwrap(), 404);
    }
    assert_eq!(load(budget, 1).await, 2);
}
