//! Failed answers: read off so that their connections can be used again, or passed on as they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::retry::{Retries, RetryLayer};
use outrigger::testing::{Answer, ReadinessProbe, Script};
use outrigger::{Body, Error};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, service_fn};

use super::{plain, seen};
use crate::call::{get, keyed_post, send, status};
use crate::clock::{begin, millis, secs, settle, timed, wait, within};
use crate::provider::{Pipe, Provider, piped};

/// Answers 503 with this body at first, and 200 from then on.
async fn after_a_failure_with(layer: RetryLayer, body: Body) -> u16 {
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let provider = service_fn(move |_: Request<_>| {
        let failed = body.lock().unwrap().take();
        let code = if failed.is_some() { 503 } else { 200 };
        let response = Response::builder().status(code).body(failed.unwrap_or_default());
        async { Ok::<_, Error>(response.unwrap()) }
    });
    status(&layer.layer(provider), get()).await.unwrap()
}

/// A body that counts how many of its frames were read, and whether it was dropped unread.
fn counted(frames: usize, size: usize) -> (Arc<AtomicUsize>, Body) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let frames = (0..frames).map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        let data = bytes::Bytes::from(vec![0; size]);
        Ok::<_, std::io::Error>(http_body::Frame::data(data))
    });
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    (read, Body::new(body))
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_is_read_to_its_end() {
    let (read, body) = counted(10, 1_000);
    assert_eq!(after_a_failure_with(plain(), body).await, 200);
    assert_eq!(read.load(Ordering::SeqCst), 10);
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_is_read_no_further_than_the_cap() {
    let (read, body) = counted(1_000, 1_000);
    assert_eq!(after_a_failure_with(plain().drain_cap(10_000), body).await, 200);
    assert_eq!(read.load(Ordering::SeqCst), 11, "the frame that passes the cap is the last");
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_that_never_ends_delays_nothing_and_is_let_go() {
    let (pipe, body): (Pipe, Body) = piped();
    pipe.feed("oops");
    let (took, code) = timed(after_a_failure_with(plain(), body)).await;
    assert_eq!((took, code), (millis(100), 200));
    assert!(!pipe.is_read());
}

#[tokio::test(start_paused = true)]
async fn a_failed_answer_that_is_too_large_to_be_kept_holds_no_place_while_the_retry_waits() {
    let large = Answer::status(503).header("retry-after", "30").body(vec![0; 100_000]);
    let places = BulkheadLayer::new(1);
    let bulkhead = places.handle();
    let layer = plain().drain_cap(1_000).max_attempts(2);
    let service = layer.layer(places.layer(Script::new([large, Answer::status(200)])));
    let call = begin(async move { status(&service, get()).await }).await;
    wait(secs(1)).await;
    assert_eq!(bulkhead.in_use(), 0);
    assert_eq!(call.await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_returned_as_it_was() {
    let last = Answer::status(502).header("x-reason", "upstream").body("no route");
    let provider = Script::new([Answer::status(503), Answer::status(500), last]);
    let response = send(&plain().layer(provider), get()).await.unwrap();
    assert_eq!(response.status().as_u16(), 502);
    assert_eq!(response.headers()["x-reason"], "upstream");
    let retries = *response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.waited), (3, millis(200)));
    assert_eq!(Body::new(response.into_body()).text().await.unwrap(), "no route");
}

#[tokio::test(start_paused = true)]
async fn a_success_says_what_it_took_only_if_it_took_more_than_one_attempt() {
    let at_once = send(&plain().layer(Script::new([Answer::status(200)])), get()).await.unwrap();
    assert_eq!(at_once.extensions().get::<Retries>(), None);
    let flaky = Script::new([Answer::status(503), Answer::status(200)]);
    let second = send(&plain().layer(flaky), get()).await.unwrap();
    let retries = second.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (2, None));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_the_same_head_and_its_own_number() {
    let provider = Script::new([Answer::status(503)]);
    let mut request = keyed_post("a");
    request.headers_mut().append("accept", "text/plain".parse().unwrap());
    request.headers_mut().append("accept", "text/html".parse().unwrap());
    request.extensions_mut().insert(42_u8);
    let _ = status(&plain().layer(provider.clone()), request).await;
    for (at, request) in provider.requests().iter().enumerate() {
        let accepts: Vec<_> = request.headers().get_all("accept").iter().collect();
        assert_eq!(accepts, ["text/plain", "text/html"]);
        assert_eq!((request.method(), request.uri().path()), (&http::Method::POST, "/v1/charges"));
        assert_eq!(request.extensions().get::<u8>(), Some(&42));
        let context = request.extensions().get::<outrigger::context::Context>().unwrap();
        assert_eq!(context.attempt() as usize, at + 1);
    }
    assert_eq!(provider.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_calls_an_instance_that_was_polled_ready() {
    let provider = ReadinessProbe::new(Script::new([Answer::status(503)]));
    assert_eq!(status(&plain().layer(provider), get()).await.unwrap(), 503);
    let limited = ConcurrencyLimitLayer::new(1).layer(Script::new([Answer::status(503)]));
    let call = async { status(&plain().layer(limited), get()).await.unwrap() };
    assert_eq!(within(secs(60), call).await, Some(503), "a retry doesn't wait for its own permit");
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_its_retry_waits_for_readiness_leaves_no_place_in_the_queue() {
    let provider = Provider::new(Answer::status(503));
    let service = plain().layer(ConcurrencyLimitLayer::new(1).layer(provider.clone()));
    let call = |service: &outrigger::retry::Retry<_>| {
        let service = service.clone();
        async move { status(&service, get()).await }
    };
    let retrying = begin(call(&service)).await;
    provider.set(Answer::hang());
    let holding = begin(call(&service)).await;
    // Its wait is over, and another call has the only permit.
    wait(millis(200)).await;
    retrying.abort();
    settle().await;
    holding.abort();
    settle().await;
    provider.set(Answer::status(200));
    let next = within(secs(60), call(&service)).await;
    assert_eq!(next.expect("the permit is free again").unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_readied_clone_that_is_dropped_gives_its_permit_back() {
    let limit = ConcurrencyLimitLayer::new(1).layer(Script::new([Answer::status(200)]));
    let service = DeadlineLayer::new(secs(5)).layer(plain().layer(limit));
    let mut readied = service.clone();
    let _: &mut _ = tower::ServiceExt::<Request<Body>>::ready(&mut readied).await.unwrap();
    drop(readied);
    assert_eq!(status(&service, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_sends_nothing_more() {
    let provider = Script::new([Answer::status(503)]);
    let service = plain().layer(provider.clone());
    assert!(within(millis(50), status(&service, get())).await.is_none());
    wait(secs(60)).await;
    assert_eq!(provider.begun(), 1);
    assert_eq!(seen(plain(), [Answer::status(200)], get()).await.0, 1);
}
