//! Queues: everybody has a turn, however many leave, and no bound is passed.

use std::time::Duration;

use outrigger::bulkhead::BulkheadLayer;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use tower::Layer;

use crate::provider::Provider;
use crate::threads::{of_those_who_stay, run};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_bulkheads_queue_serves_everybody_and_lets_no_more_than_its_limit_through() {
    let provider = Provider::default();
    let layer = BulkheadLayer::new(5).queue(1_000).queue_wait(LONG);
    let (answered, refused) = run(layer.layer(provider.clone()), "/answers");
    assert_eq!((answered, refused), (of_those_who_stay(), 0));
    assert!(provider.most() <= 5, "{}", provider.most());
    assert_eq!((layer.handle().in_use(), layer.handle().waiting(), provider.here()), (0, 0, 0));
}

#[test]
fn a_bulkhead_without_a_queue_answers_or_refuses_and_keeps_no_place() {
    let provider = Provider::default();
    let layer = BulkheadLayer::new(5);
    let (answered, refused) = run(layer.layer(provider.clone()), "/answers");
    assert_eq!(answered + refused, of_those_who_stay());
    assert!(provider.most() <= 5, "{}", provider.most());
    assert_eq!((layer.handle().in_use(), provider.here()), (0, 0));
}

#[test]
fn a_rate_limits_queue_serves_everybody() {
    let provider = Provider::default();
    let layer = RateLimitLayer::new(20_000, Duration::from_secs(1)).on_limit(OnLimit::Shape);
    let layer = layer.burst(50).queue(1_000).max_wait(LONG);
    let (answered, refused) = run(layer.layer(provider.clone()), "/answers");
    assert_eq!((answered, refused), (of_those_who_stay(), 0));
    assert_eq!((layer.handle().waiting(), provider.here()), (0, 0));
}

#[test]
fn a_rate_limits_bound_of_calls_in_flight_serves_everybody() {
    let provider = Provider::default();
    let layer = RateLimitLayer::learning().on_limit(OnLimit::Shape).in_flight(5);
    let layer = layer.queue(1_000).max_wait(LONG);
    let (answered, refused) = run(layer.layer(provider.clone()), "/answers");
    assert_eq!((answered, refused), (of_those_who_stay(), 0));
    assert!(provider.most() <= 5, "{}", provider.most());
    let handle = layer.handle();
    assert_eq!((handle.waiting(), handle.in_flight(), provider.here()), (0, 0, 0));
}
