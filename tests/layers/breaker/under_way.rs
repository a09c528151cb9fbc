//! Probes that are under way for longer than their limit, and the provider isn't why.

use std::future::ready;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use outrigger::circuit_breaker::BreakerHandle;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::Answer;
use outrigger::{Body, Error};
use tower::util::BoxCloneService;
use tower::{Layer, ServiceBuilder, service_fn};

use super::by_rate;
use crate::call::{frame, get, send, status};
use crate::clock::{begin, millis, secs, wait};
use crate::provider::{Pipe, Provider, piped};

#[tokio::test(start_paused = true)]
async fn a_probe_that_waits_for_its_turn_does_not_hang() {
    let breaker = by_rate(10, 50, 1).probes(1, 1).probe_limit(secs(10));
    let limit = RateLimitLayer::learning().on_limit(OnLimit::Shape);
    let (handle, turns) = (breaker.handle(), limit.handle());
    let provider = Provider::new(Answer::status(500));
    let service = ServiceBuilder::new().layer(breaker).layer(limit).service(provider.clone());
    status(&service, get()).await.unwrap();
    provider.set(Answer::status(200));
    wait(secs(5)).await;
    turns.pause(secs(60));
    let call = || {
        let service = service.clone();
        async move { status(&service, get()).await }
    };
    let mut probes = vec![begin(call()).await];
    wait(secs(9)).await;
    let error = call().await.unwrap_err();
    assert_eq!((handle.state(), error.retry_after()), (HalfOpen, Some(secs(1))));
    wait(secs(1)).await;
    // It may never come out of the queue: another is let through beside it.
    probes.push(begin(call()).await);
    assert!(call().await.unwrap_err().is_rejected());
    wait(secs(20)).await;
    assert_eq!((handle.state(), turns.waiting()), (HalfOpen, 2));
    for probe in probes {
        assert_eq!(probe.await.unwrap().unwrap(), 200);
    }
    assert_eq!((handle.state(), provider.begun()), (Closed, 3));
}

type Streams = BoxCloneService<Request<Body>, Response<Body>, Error>;

/// Fails once, and then answers with bodies that are fed by hand.
fn streams(probes: u32) -> (Streams, BreakerHandle, Arc<Mutex<Vec<Pipe>>>) {
    let breaker = by_rate(10, 50, 1).probes(probes, probes).probe_limit(secs(10));
    let (handle, pipes) = (breaker.handle(), Arc::new(Mutex::new(Vec::new())));
    let (fed, failed) = (Arc::clone(&pipes), Arc::new(Mutex::new(false)));
    let provider = service_fn(move |_: Request<Body>| {
        let failed = std::mem::replace(&mut *failed.lock().unwrap(), true);
        let mut response = Response::new(Body::empty());
        if failed {
            let (pipe, body) = piped();
            fed.lock().unwrap().push(pipe);
            response = Response::new(body);
        } else {
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        }
        ready(Ok::<_, Error>(response))
    });
    let service =
        ServiceBuilder::new().map_response(|response: Response<_>| response.map(Body::new));
    (BoxCloneService::new(service.service(breaker.layer(provider))), handle, pipes)
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_good_answer_is_still_being_read_has_succeeded_by_then() {
    let (service, handle, pipes) = streams(1);
    status(&service, get()).await.unwrap();
    wait(secs(5)).await;
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    wait(secs(9)).await;
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!((handle.state(), error.retry_after()), (HalfOpen, Some(secs(1))));
    wait(secs(1)).await;
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(handle.state(), Closed);
    // What becomes of the body says nothing of the state that came after.
    pipes.lock().unwrap()[0].break_off();
    frame(&mut body).await.unwrap().unwrap_err();
    assert_eq!((handle.state(), handle.counts().failed), (Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_answer_breaks_within_its_limit_has_failed() {
    let (service, handle, pipes) = streams(2);
    status(&service, get()).await.unwrap();
    wait(secs(5)).await;
    // Both in one instant.
    let mut bodies = Vec::new();
    for _ in 0..2 {
        bodies.push(Box::pin(send(&service, get()).await.unwrap().into_body()));
    }
    wait(secs(9)).await;
    pipes.lock().unwrap()[0].break_off();
    frame(&mut bodies[0]).await.unwrap().unwrap_err();
    wait(millis(500)).await;
    drop(bodies.pop());
    assert_eq!(handle.state(), Open, "one of two is not both");
}
