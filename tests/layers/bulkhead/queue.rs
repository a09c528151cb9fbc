//! The queue for a place.

use std::future::Ready;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response};
use outrigger::Body;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::Event;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, ReadinessProbe};
use outrigger::{Delivery, ErrorKind};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, service_fn};

use super::Guarded;
use crate::call::{get, ready, send, status};
use crate::clock::{begin, millis, secs, settle, spawn, timed, wait, within};
use crate::provider::Provider;

/// Can't become ready.
#[derive(Clone)]
struct Unready;

impl Service<Request<Body>> for Unready {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Ready<io::Result<Response<Body>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        unreachable!("it was never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_the_next_is_refused_at_once() {
    let crm = Guarded::by(BulkheadLayer::new(2).queue(3));
    let _held = crm.hold(5).await;
    assert_eq!((crm.provider.begun(), crm.figures()), (2, (2, 3)));
    let (took, result) = timed(crm.call()).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.kind()), (secs(0), ErrorKind::Rejected(Rejection::Full)));
    assert_eq!(crm.figures(), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn whoever_came_first_is_served_first() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let provider = service_fn({
        let order = Arc::clone(&order);
        move |request: Request<Body>| {
            order.lock().unwrap().push(*request.extensions().get::<usize>().unwrap());
            async {
                wait(secs(1)).await;
                Ok::<_, outrigger::Error>(Response::new(Body::empty()))
            }
        }
    });
    let service = BulkheadLayer::new(2).queue(100).layer(provider);
    let call = |number: usize| {
        let service = service.clone();
        let mut request = get();
        request.extensions_mut().insert(number);
        async move { status(&service, request).await.unwrap() }
    };
    let mut calls = Vec::new();
    for number in 0..20 {
        calls.push(begin(call(number)).await);
        wait(millis(1)).await;
    }
    let (took, _) = timed(futures_util::future::join_all(calls)).await;
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    assert!(took < secs(10), "two at a time: {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_the_queue() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(5));
    let mut held = crm.hold(2).await;
    crm.provider.set(Answer::status(200));
    // The place is given back, but the one it is for has not been polled since.
    held.remove(0).abort();
    let newcomer = spawn(crm.call());
    settle().await;
    assert_eq!(held.remove(0).await.unwrap().unwrap(), 200);
    assert_eq!(newcomer.await.unwrap().unwrap(), 200);
    assert_eq!((crm.figures(), crm.provider.begun()), ((0, 0), 3));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_exactly_as_long_as_it_may() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
    let _held = crm.hold(1).await;
    let (took, result) = timed(crm.call()).await;
    let error = result.unwrap_err();
    assert_eq!((took, error.elapsed()), (secs(2), Some(secs(2))));
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::QueueTimeout));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert!(error.is_rejected() && !error.is_timeout());
    assert_eq!((error.integration(), error.last_status()), (Some("crm"), None));
    let text = error.to_string();
    assert_eq!(
        text,
        "crm: bulkhead queue timed out for api.example:443: no place free within 2s; 1 of 1 in use"
    );
    assert_eq!((crm.figures(), crm.provider.begun()), ((1, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn a_place_that_comes_free_on_the_last_tick_is_taken() {
    for (after, in_time) in [(1_999, true), (2_000, true), (2_001, false)] {
        let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
        crm.provider.set(Answer::status(200).after(millis(after)));
        // In one task, where the call that gives its place back is polled first.
        let (first, second) = futures_util::future::join(crm.call(), crm.call()).await;
        assert_eq!(first.unwrap(), 200);
        assert_eq!(second.is_ok(), in_time, "free after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_when_the_place_is_there_and_the_call_may_take_its_time() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
    crm.provider.set(Answer::status(200).after(secs(1)));
    let _first = begin(crm.call()).await;
    crm.provider.set(Answer::status(200).after(secs(60)));
    let (took, result) = timed(crm.call()).await;
    assert_eq!((took, result.unwrap()), (secs(61), 200));
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_that_is_dropped_leaves_the_queue() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1));
    let _held = crm.hold(1).await;
    for _ in 0..10 {
        assert!(within(secs(1), crm.call()).await.is_none(), "queued, and cut");
        assert_eq!(crm.figures(), (1, 0));
    }
    assert_eq!(crm.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_that_is_dropped_gives_its_turn_to_the_next() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(3));
    let mut calls = crm.hold(4).await;
    assert_eq!(crm.figures(), (1, 3));
    crm.provider.set(Answer::status(200));
    // The first in the queue goes in the same breath as the one whose place it was to have.
    let (held, first) = (calls.remove(0), calls.remove(0));
    held.abort();
    first.abort();
    for next in calls {
        let next = within(secs(60), next).await;
        assert_eq!(next.expect("its turn has come").unwrap().unwrap(), 200);
    }
    assert_eq!((crm.figures(), crm.provider.begun()), ((0, 0), 3));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_has_come_and_is_dropped_unused_goes_to_the_next() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(2));
    let held = crm.hold(1).await;
    // Polled by hand, so that nobody picks the place up when it comes.
    let mut first = Box::pin(crm.call());
    assert!(within(secs(0), first.as_mut()).await.is_none());
    let second = begin(crm.call()).await;
    crm.provider.set(Answer::status(200));
    held.into_iter().for_each(|held| held.abort());
    settle().await;
    assert_eq!(crm.figures(), (1, 1), "the place is promised to the first");
    drop(first);
    let second = within(secs(60), second).await;
    assert_eq!(second.expect("its turn has come").unwrap().unwrap(), 200);
    assert_eq!(crm.figures(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_second_over_a_full_bulkhead_is_no_more_than_one_second() {
    let provider = Provider::new(Answer::status(200).after(millis(4_500)));
    let bulkhead = BulkheadLayer::new(1).queue(9).layer(provider.clone());
    let held = begin({
        let bulkhead = bulkhead.clone();
        async move { send(&bulkhead, get()).await.map(drop) }
    })
    .await;
    let service = DeadlineLayer::new(secs(1)).layer(bulkhead);
    let (took, result) = timed(status(&service, get())).await;
    let error = result.unwrap_err();
    let late = ErrorKind::Rejected(Rejection::QueueTimeout);
    assert_eq!((took, error.kind()), (millis(500), late), "it leaves time for an attempt");
    assert_eq!((error.delivery(), provider.begun()), (Delivery::NotSent, 1));
    held.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_half_the_deadline_and_queue_wait_ends_the_wait() {
    for (deadline, limit) in [(1, millis(500)), (9, secs(2))] {
        let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
        let _held = crm.hold(1).await;
        let service = DeadlineLayer::new(secs(deadline)).layer(crm.service.clone());
        let (took, result) = timed(status(&service, get())).await;
        let error = result.unwrap_err();
        let late = ErrorKind::Rejected(Rejection::QueueTimeout);
        assert_eq!((took, error.kind()), (limit, late));
        assert_eq!((error.delivery(), crm.figures()), (Delivery::NotSent, (1, 0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_waits_for_the_inner_services_readiness_in_its_place() {
    let provider = Provider::new(Answer::hang());
    // Panics where an instance is called that was not polled ready.
    let probe = ReadinessProbe::new(provider.clone());
    let layer = BulkheadLayer::new(1).queue(1);
    let service = layer.layer(probe);
    let call = || {
        let service = service.clone();
        async move { status(&service, get()).await }
    };
    let held = begin(call()).await;
    let queued = begin(call()).await;
    provider.set(Answer::status(200));
    held.abort();
    assert_eq!(queued.await.unwrap().unwrap(), 200);
    assert_eq!(layer.handle().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_in_vain_has_left_the_queue_however_long_it_is_kept() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
    let held = crm.hold(1).await;
    let mut service = crm.service.clone();
    let mut late = Box::pin(ready(&mut service).await.call(get()));
    let error = (&mut late).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::QueueTimeout));
    assert_eq!(crm.figures(), (1, 0));
    crm.provider.set(Answer::status(200));
    held.into_iter().for_each(|held| held.abort());
    assert_eq!(within(secs(60), crm.call()).await.expect("a place").unwrap(), 200);
    drop(late);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_inner_service_can_not_become_ready_has_no_place_however_long_it_is_kept() {
    let layer = BulkheadLayer::new(1).queue(1);
    let holder = layer.layer(Provider::new(Answer::hang()));
    let held = begin(async move { status(&holder, get()).await }).await;
    let mut service = layer.layer(Unready);
    let mut queued = Box::pin(ready(&mut service).await.call(get()));
    assert!(within(secs(0), queued.as_mut()).await.is_none());
    held.abort();
    let error = (&mut queued).await.map(drop).unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(layer.handle().in_use(), 0);
    drop(queued);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_holds_nothing_that_the_holder_of_the_place_needs() {
    let provider = Provider::new(Answer::status(200).after(secs(1)));
    let stack = ServiceBuilder::new()
        .layer(BulkheadLayer::new(1).queue(1))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(provider);
    let (mut early, mut late) = (stack.clone(), stack.clone());
    let first = begin(async move { status(&stack, get()).await }).await;
    // Ready without a look further in, because there is no place.
    ready(&mut early).await;
    first.await.unwrap().unwrap();
    // Ready with the one permit that there is.
    ready(&mut late).await;
    let calls = (early.call(get()), late.call(get()));
    let calls = within(secs(60), async move { tokio::join!(calls.0, calls.1) }).await;
    let (early, late) = calls.expect("neither waits for the other");
    assert!(early.is_ok() && late.is_ok());
}

#[tokio::test(start_paused = true)]
async fn waiting_and_waiting_in_vain_are_told() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1).queue_wait(secs(2)));
    let mut held = crm.hold(2).await;
    assert_eq!(crm.events.events(), [Event::BulkheadQueued]);
    let _ = crm.call().await;
    let full = Event::BulkheadRejected { why: Rejection::Full };
    assert_eq!(crm.events.events(), [Event::BulkheadQueued, full]);
    let _ = held.remove(1).await;
    let in_vain = Event::BulkheadRejected { why: Rejection::QueueTimeout };
    assert_eq!(crm.events.events(), [Event::BulkheadQueued, full, in_vain]);
}
