//! How many are let through, and who shares the places.

use std::future::poll_fn;
use std::task::Poll;

use http::Request;
use outrigger::Body;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::event::{Emitter, Event};
use outrigger::testing::{Answer, EventRecorder, ReadinessProbe, Script};
use tower::{Layer, Service, ServiceExt};

use super::{Guarded, calling};
use crate::call::{get, status};
use crate::clock::{begin, secs, settle, within};
use crate::provider::Provider;

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_there_are_places() {
    let crm = Guarded::by(BulkheadLayer::new(3));
    let _held = crm.hold(10).await;
    assert_eq!((crm.provider.begun(), crm.figures()), (3, (3, 0)));
    assert_eq!(crm.places.limit(), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_call_is_over_however_it_ends() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    crm.provider.set(Answer::status(500));
    assert_eq!(crm.call().await.unwrap(), 500);
    crm.provider.set(Answer::broken(std::io::ErrorKind::ConnectionReset));
    assert!(crm.call().await.is_err());
    crm.provider.set(Answer::hang());
    assert!(within(secs(1), crm.call()).await.is_none(), "its caller went away");
    assert_eq!(crm.figures(), (0, 0));
    crm.provider.set(Answer::status(200));
    assert_eq!(crm.call().await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_gives_its_place_back() {
    let layer = BulkheadLayer::new(1);
    let places = layer.handle();
    let service = layer.layer(tower::service_fn(|_| async {
        assert!(tokio::task::try_id().is_none(), "called in a task");
        Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
    }));
    let call = begin(async move { status(&service, get()).await }).await;
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(places.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn clones_and_all_services_of_a_layer_share_its_places() {
    let layer = BulkheadLayer::new(2);
    let provider = Provider::new(Answer::hang());
    let first = layer.layer(provider.clone());
    let of_a_clone = layer.clone().layer(provider.clone());
    let _held = begin(calling(&first, get())).await;
    let _also = begin(calling(&of_a_clone.clone(), get())).await;
    for service in [&first, &of_a_clone, &layer.layer(provider.clone())] {
        assert!(status(service, get()).await.unwrap_err().is_rejected());
    }
    assert_eq!((layer.handle().in_use(), provider.begun()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn two_layers_have_places_of_their_own() {
    let provider = Provider::new(Answer::hang());
    let first = BulkheadLayer::new(1).layer(provider.clone());
    let _held = begin(calling(&first, get())).await;
    provider.set(Answer::status(200));
    let second = BulkheadLayer::new(1).layer(provider);
    assert_eq!(status(&second, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_handle_reads_the_places_of_the_layer_as_it_was_set_in_the_end() {
    let layer = BulkheadLayer::unlimited().queue(5).concurrency(2).queue_wait(secs(1));
    let places = layer.handle();
    let service = layer.layer(Provider::new(Answer::hang()));
    let _held = begin(calling(&service, get())).await;
    assert_eq!((places.limit(), places.in_use(), places.waiting()), (Some(2), 1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_bound_every_call_passes_and_nobody_counts() {
    let crm = Guarded::by(BulkheadLayer::unlimited());
    let _held = crm.hold(1_000).await;
    assert_eq!((crm.provider.begun(), crm.figures()), (1_000, (0, 0)));
    assert_eq!(crm.places.limit(), None);
    assert_eq!(crm.events.events(), []);
}

#[tokio::test(start_paused = true)]
async fn a_readied_service_that_is_dropped_takes_no_place_with_it() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let mut readied = crm.service.clone();
    let _: &mut _ = ServiceExt::<Request<Body>>::ready(&mut readied).await.unwrap();
    let (kept, dropped) = (readied.clone(), readied);
    drop(dropped);
    crm.provider.set(Answer::status(200));
    assert_eq!(crm.call().await.unwrap(), 200);
    assert_eq!(status(&kept, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_service_kept_ready_holds_no_place_either() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let mut idle = crm.service.clone();
    let _: &mut _ = ServiceExt::<Request<Body>>::ready(&mut idle).await.unwrap();
    crm.provider.set(Answer::status(200));
    let other = within(secs(60), crm.call()).await;
    assert_eq!(other.expect("nobody is under way").unwrap(), 200);
    assert_eq!(Service::call(&mut idle, get()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_place_taken_since_it_was_ready_is_not_taken_twice() {
    let crm = Guarded::by(BulkheadLayer::new(1));
    let mut readied = crm.service.clone();
    let _: &mut _ = ServiceExt::<Request<Body>>::ready(&mut readied).await.unwrap();
    let _held = crm.hold(1).await;
    assert!(Service::call(&mut readied, get()).await.unwrap_err().is_rejected());
    assert_eq!(crm.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_leaves_the_inner_service_alone() {
    let provider = Script::new([Answer::hang()]);
    let probe = ReadinessProbe::new(provider.clone());
    let layer = BulkheadLayer::new(1);
    let service = layer.layer(probe.clone());
    let held = begin({
        let service = service.clone();
        async move { status(&service, get()).await }
    })
    .await;
    let polls = probe.polls();
    for _ in 0..5 {
        assert!(status(&service, get()).await.unwrap_err().is_rejected());
    }
    assert_eq!((probe.polls(), provider.begun()), (polls, 1));
    // Even an inner service that isn't ready doesn't keep a rejection waiting.
    probe.set_ready(false);
    let rejected = within(secs(60), status(&service, get())).await;
    assert!(rejected.expect("at once").unwrap_err().is_rejected());
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_readiness_holds_no_place_before_it_is_made() {
    let provider = Script::new([Answer::status(200)]);
    let probe = ReadinessProbe::new(provider);
    probe.set_ready(false);
    let layer = BulkheadLayer::new(1);
    let mut service = layer.layer(probe.clone());
    let ready = poll_fn(|cx| Poll::Ready(Service::<Request<Body>>::poll_ready(&mut service, cx)));
    assert!(ready.await.is_pending());
    settle().await;
    assert_eq!(layer.handle().in_use(), 0);
    probe.set_ready(true);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_not_told() {
    let events = EventRecorder::new();
    let layer = BulkheadLayer::new(1).emitter(Emitter::new().with(events.clone()));
    let service = layer.layer(Script::new([Answer::status(200)]));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(events.count(|event: &Event| matches!(event, Event::BulkheadQueued)), 0);
    assert_eq!(events.events(), []);
}
