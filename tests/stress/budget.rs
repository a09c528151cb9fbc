//! A retry budget that is empty most of the time: whoever waits for it is woken by whoever pays.

use std::time::Duration;

use outrigger::Ratio;
use outrigger::backoff::Backoff;
use outrigger::retry::{EmptyBudget, RetryBudget, RetryLayer};
use tower::Layer;

use crate::provider::Provider;
use crate::threads::{of_those_who_stay, run};

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
    // Each call pays for one retry, and half of all attempts fail.
    let layer = waiting(RetryBudget::new(Ratio::percent(100), 50).burst(1));
    let layer = layer.layer(provider.clone());
    let (answered, refused) = run(layer, "/sometimes");
    assert_eq!((answered, refused), (of_those_who_stay(), 0));
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
