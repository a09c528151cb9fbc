//! A place is held until the answer's body is over.

use std::pin::Pin;

use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::bulkhead::{BulkheadHandle, BulkheadLayer};
use outrigger::deadline::DeadlineLayer;
use outrigger::retry::RetryLayer;
use tower::Layer;

use crate::call::{fetch, frame, get, send, status};
use crate::clock::{begin, secs, settle, timed};
use crate::provider::{Pipe, Streaming, piped};
use crate::retry::plain;

type Answering = Pin<Box<dyn http_body::Body<Data = bytes::Bytes, Error = outrigger::Error>>>;

/// The head of an answer has come; its body is still to be fed.
async fn answering() -> (Pipe, Answering, BulkheadHandle) {
    let (pipe, body) = piped();
    let layer = BulkheadLayer::new(1);
    let service = layer.layer(Streaming::new([body]));
    let body = send(&service, get()).await.unwrap().into_body();
    (pipe, Box::pin(body), layer.handle())
}

#[tokio::test(start_paused = true)]
async fn the_place_is_held_while_the_body_streams() {
    let (pipe, body, places) = answering().await;
    let mut body = Box::pin(body);
    assert_eq!(places.in_use(), 1, "the head is not the end");
    for text in ["one", "two"] {
        pipe.feed(text);
        assert_eq!(frame(&mut body).await.unwrap().unwrap(), text);
        assert_eq!(places.in_use(), 1, "after {text:?}");
    }
    drop(pipe);
    assert!(frame(&mut body).await.is_none());
    assert_eq!(places.in_use(), 0, "the reader still has the body in its hands");
}

#[tokio::test(start_paused = true)]
async fn the_place_is_free_with_the_last_frame_of_a_known_length() {
    let layer = BulkheadLayer::new(1);
    let service = layer.layer(Streaming::new([Body::from("all of it")]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    assert_eq!(layer.handle().in_use(), 1);
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "all of it");
    assert_eq!(layer.handle().in_use(), 0, "many readers never ask for the end");
}

#[tokio::test(start_paused = true)]
async fn the_place_is_free_when_the_body_breaks() {
    let (pipe, body, places) = answering().await;
    let mut body = Box::pin(body);
    pipe.feed("one");
    pipe.break_off();
    assert!(frame(&mut body).await.unwrap().is_ok());
    assert_eq!(places.in_use(), 1);
    assert!(frame(&mut body).await.unwrap().is_err());
    assert_eq!(places.in_use(), 0, "the reader still has the body in its hands");
}

#[tokio::test(start_paused = true)]
async fn the_place_is_free_when_the_body_is_dropped() {
    let (pipe, body, places) = answering().await;
    pipe.feed("one");
    drop(body);
    assert_eq!((places.in_use(), pipe.is_read()), (0, false));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_holds_no_place() {
    let layer = BulkheadLayer::new(1);
    let service = layer.layer(Streaming::new([]));
    let response = send(&service, get()).await.unwrap();
    assert_eq!(layer.handle().in_use(), 0);
    drop(response);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_let_in_by_the_end_of_a_body_and_not_by_its_head() {
    let (pipe, first) = piped();
    let layer = BulkheadLayer::new(1).queue(1);
    let service = layer.layer(Streaming::new([first]));
    let body = send(&service, get()).await.unwrap().into_body();
    let next = begin({
        let service = service.clone();
        async move { status(&service, get()).await }
    })
    .await;
    pipe.feed("one");
    settle().await;
    assert!(!next.is_finished());
    drop(pipe);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "one");
    assert_eq!(next.await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_cut_by_the_deadline_gives_its_place_back() {
    let (_pipe, body) = piped();
    let layer = BulkheadLayer::new(1);
    let service = DeadlineLayer::new(secs(8)).layer(layer.layer(Streaming::new([body])));
    assert!(fetch(&service, get()).await.unwrap_err().is_timeout());
    assert_eq!(layer.handle().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_wait_for_the_place_of_its_own_failed_answer() {
    let (pipe, never_ends) = piped();
    pipe.feed("down for maintenance");
    let never_ends = std::sync::Arc::new(std::sync::Mutex::new(Some(never_ends)));
    let flaky = tower::service_fn(move |_| {
        let failed = never_ends.lock().unwrap().take();
        let status = if failed.is_some() { 503 } else { 200 };
        let answer = http::Response::builder().status(status).body(failed.unwrap_or_default());
        async { Ok::<_, outrigger::Error>(answer.unwrap()) }
    });
    let retry: RetryLayer = plain();
    let service = retry.layer(BulkheadLayer::new(1).queue(1).queue_wait(secs(5)).layer(flaky));
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!((took, result.unwrap()), (crate::clock::millis(100), 200));
}
