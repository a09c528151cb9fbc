//! A retry budget that is empty most of the time: whoever waits for it is woken by whoever pays.

use std::time::Duration;

use outrigger::Ratio;
use outrigger::backoff::Backoff;
use outrigger::retry::{EmptyBudget, RetryBudget, RetryLayer};
use tower::{Layer, ServiceExt};

use crate::provider::Provider;
use crate::threads::{of_those_who_stay, request, run};

/// Waits for the budget, and for nothing else.
fn waiting(budget: RetryBudget) -> RetryLayer {
    RetryLayer::new()
        .unlimited_attempts()
        .backoff(Backoff::fixed(Duration::from_nanos(1)))
        .budget(budget)
        .when_budget_is_empty(EmptyBudget::Wait)
}

#[test]
fn calls_that_pay_wake_those_who_wait() {
    let provider = Provider::default();
    // One retry can be saved and there is no floor: who waits has only the calls of others.
    let layer = waiting(RetryBudget::new(Ratio::percent(100), 0).burst(1)).layer(provider.clone());
    let callers = std::thread::spawn({
        let layer = layer.clone();
        move || run(layer, "/sometimes")
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    while !callers.is_finished() {
        // It needs no retry, and pays for one.
        runtime.block_on(layer.clone().oneshot(request("/answers"))).unwrap();
    }
    assert_eq!(callers.join().unwrap(), (of_those_who_stay(), 0));
    assert_eq!(provider.here(), 0);
}

#[test]
fn retries_that_end_wake_those_who_wait() {
    let provider = Provider::default();
    let budget = RetryBudget::under_way(Ratio::ZERO, 2);
    let layer = waiting(budget.clone()).layer(provider.clone());
    let (answered, refused) = run(layer, "/sometimes");
    assert_eq!((answered, refused), (of_those_who_stay(), 0));
    assert_eq!((budget.saved(), provider.here()), (Some(2), 0));
}
