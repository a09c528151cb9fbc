//! Who may switch a rehearsal on, and what a handle says of it.

use http::StatusCode;
use outrigger::Ratio;
use outrigger::event::Event;
use outrigger::rehearsal::{Plan, RehearsalLayer};

use super::{ALL, Rehearsing};
use crate::call::{fetch, get, status};
use crate::clock::{begin, settle};

fn down() -> Plan {
    Plan::new().status(ALL, StatusCode::SERVICE_UNAVAILABLE)
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_can_not_be_switched_on() {
    let rehearsing = Rehearsing::by(RehearsalLayer::new());
    let refused = rehearsing.handle.start(down()).unwrap_err();
    assert_eq!(refused.errors()[0].field(), "rehearsal.plan");
    assert!(refused.to_string().contains("not allowed"), "{refused}");
    assert!(!rehearsing.handle.is_allowed() && !rehearsing.handle.is_on());
    assert_eq!(fetch(&rehearsing.service, get()).await.unwrap(), "the real one");
    assert_eq!((rehearsing.events.events(), rehearsing.handle.injected()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_from_the_start_does_nothing_where_it_is_forbidden() {
    let layer = RehearsalLayer::new().plan(down());
    let rehearsing = Rehearsing::by(layer);
    assert_eq!((rehearsing.handle.plan(), rehearsing.handle.is_on()), (None, false));
    assert_eq!(status(&rehearsing.service, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_on_from_the_start_where_it_is_allowed_before_or_after() {
    let layers =
        [RehearsalLayer::new().allow().plan(down()), RehearsalLayer::new().plan(down()).allow()];
    for layer in layers {
        let rehearsing = Rehearsing::by(layer);
        assert_eq!(status(&rehearsing.service, get()).await.unwrap(), 503);
        assert_eq!(rehearsing.handle.plan(), Some(down()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_begins_changes_and_ends_a_rehearsal_for_services_that_are_there() {
    let rehearsing = Rehearsing::by(RehearsalLayer::new().allow());
    let clone = rehearsing.service.clone();
    let answered = async || status(&clone, get()).await.unwrap();
    assert_eq!(answered().await, 200);
    rehearsing.handle.start(down()).unwrap();
    assert_eq!((answered().await, rehearsing.handle.is_on()), (503, true));
    let throttled = Plan::new().status(ALL, StatusCode::TOO_MANY_REQUESTS);
    rehearsing.handle.clone().start(throttled.clone()).unwrap();
    assert_eq!((answered().await, rehearsing.handle.plan()), (429, Some(throttled)));
    rehearsing.handle.stop();
    rehearsing.handle.stop();
    assert_eq!((answered().await, rehearsing.handle.is_on()), (200, false));
    assert_eq!((rehearsing.provider.begun(), rehearsing.handle.injected()), (2, 2));
    let changes: Vec<_> = rehearsing.events.events();
    let changes: Vec<_> = changes
        .into_iter()
        .filter_map(|event| match event {
            Event::RehearsalChanged { on } => Some(on),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [true, true, false], "an end that changes nothing is not told");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_can_not_work_leaves_the_one_that_is_on() {
    let rehearsing = Rehearsing::plan(down());
    let broken = Plan::new().hang(Ratio::percent(101));
    let refused = rehearsing.handle.start(broken).unwrap_err();
    assert_eq!(refused.errors()[0].field(), "rehearsal.plan.shares");
    assert_eq!(rehearsing.handle.plan(), Some(down()));
    assert_eq!(rehearsing.events.events(), []);
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_stay_so_when_it_ends_and_new_ones_do_not() {
    let rehearsing = Rehearsing::plan(Plan::new().hang(ALL));
    let service = rehearsing.service.clone();
    let hanging = begin(async move { status(&service, get()).await }).await;
    rehearsing.handle.stop();
    settle().await;
    assert!(!hanging.is_finished());
    assert_eq!(status(&rehearsing.service, get()).await.unwrap(), 200);
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn setting_anything_afterwards_makes_a_rehearsal_of_its_own() {
    use tower::Layer;
    let layer = RehearsalLayer::new().allow();
    let (first, handle) = (layer.layer(crate::provider::Streaming::new([])), layer.handle());
    let other = layer.header(http::HeaderName::from_static("x-rehearse"));
    handle.start(down()).unwrap();
    assert_eq!(status(&first, get()).await.unwrap(), 503);
    assert!(!other.handle().is_on());
}
