//! Who may start fault injection, and what a handle says of it.

use http::StatusCode;
use outrigger::Ratio;
use outrigger::event::Event;
use outrigger::fault_injection::{FaultInjectionLayer, Plan};

use super::{ALL, Injecting};
use crate::call::{fetch, get, status};
use crate::clock::{begin, settle};

fn down() -> Plan {
    Plan::new().status(ALL, StatusCode::SERVICE_UNAVAILABLE)
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_can_not_be_switched_on() {
    let injecting = Injecting::by(FaultInjectionLayer::new());
    let refused = injecting.handle.start(down()).unwrap_err();
    assert_eq!(refused.errors()[0].field(), "fault_injection.plan");
    assert!(refused.to_string().contains("not allowed"), "{refused}");
    assert!(!injecting.handle.is_allowed() && !injecting.handle.is_on());
    assert_eq!(fetch(&injecting.service, get()).await.unwrap(), "the real one");
    assert_eq!((injecting.events.events(), injecting.handle.injected()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_from_the_start_does_nothing_where_it_is_forbidden() {
    let layer = FaultInjectionLayer::new().plan(down());
    let injecting = Injecting::by(layer);
    assert_eq!((injecting.handle.plan(), injecting.handle.is_on()), (None, false));
    assert_eq!(status(&injecting.service, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_on_from_the_start_where_it_is_allowed_before_or_after() {
    let layers = [
        FaultInjectionLayer::new().allow().plan(down()),
        FaultInjectionLayer::new().plan(down()).allow(),
    ];
    for layer in layers {
        let injecting = Injecting::by(layer);
        assert_eq!(status(&injecting.service, get()).await.unwrap(), 503);
        assert_eq!(injecting.handle.plan(), Some(down()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_begins_changes_and_ends_a_fault_injection_for_services_that_are_there() {
    let injecting = Injecting::by(FaultInjectionLayer::new().allow());
    let clone = injecting.service.clone();
    let answered = async || status(&clone, get()).await.unwrap();
    assert_eq!(answered().await, 200);
    injecting.handle.start(down()).unwrap();
    assert_eq!((answered().await, injecting.handle.is_on()), (503, true));
    let throttled = Plan::new().status(ALL, StatusCode::TOO_MANY_REQUESTS);
    injecting.handle.clone().start(throttled.clone()).unwrap();
    assert_eq!((answered().await, injecting.handle.plan()), (429, Some(throttled)));
    injecting.handle.stop();
    injecting.handle.stop();
    assert_eq!((answered().await, injecting.handle.is_on()), (200, false));
    assert_eq!((injecting.provider.begun(), injecting.handle.injected()), (2, 2));
    let changes: Vec<_> = injecting.events.events();
    let changes: Vec<_> = changes
        .into_iter()
        .filter_map(|event| match event {
            Event::FaultInjectionChanged { on } => Some(on),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [true, true, false], "an end that changes nothing is not told");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_can_not_work_leaves_the_one_that_is_on() {
    let injecting = Injecting::plan(down());
    let broken = Plan::new().hang(Ratio::percent(101));
    let refused = injecting.handle.start(broken).unwrap_err();
    assert_eq!(refused.errors()[0].field(), "fault_injection.plan.shares");
    assert_eq!(injecting.handle.plan(), Some(down()));
    assert_eq!(injecting.events.events(), []);
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_stay_so_when_it_ends_and_new_ones_do_not() {
    let injecting = Injecting::plan(Plan::new().hang(ALL));
    let service = injecting.service.clone();
    let hanging = begin(async move { status(&service, get()).await }).await;
    injecting.handle.stop();
    settle().await;
    assert!(!hanging.is_finished());
    assert_eq!(status(&injecting.service, get()).await.unwrap(), 200);
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn setting_anything_afterwards_makes_a_fault_injection_of_its_own() {
    use tower::Layer;
    let layer = FaultInjectionLayer::new().allow();
    let (first, handle) = (layer.layer(crate::provider::Streaming::new([])), layer.handle());
    let other = layer.header(http::HeaderName::from_static("x-fault"));
    handle.start(down()).unwrap();
    assert_eq!(status(&first, get()).await.unwrap(), 503);
    assert!(!other.handle().is_on());
}
