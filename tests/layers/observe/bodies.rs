//! The end of a call is the end of its answer's body.

use std::convert::Infallible;
use std::error::Error as _;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::Event;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::observe::ObserveLayer;
use outrigger::outcome::{Class, Fault, Phase};
use outrigger::{Body, Delivery, Error};
use tower::{Layer, service_fn};

use super::{answered, attempt, attempts, call, calls, failed, kept, listener};
use crate::call::{fetch, frame, get, send};
use crate::clock::{secs, wait};
use crate::provider::{Streaming, piped};

#[tokio::test(start_paused = true)]
async fn a_call_lasts_to_the_end_of_its_body() {
    let (pipe, body) = piped();
    let (events, layer) = calls();
    let response = send(&layer.layer(Streaming::new([body])), get()).await.unwrap();
    let mut body = Box::pin(response.into_body());
    for text in ["one", "two"] {
        wait(secs(2)).await;
        pipe.feed(text);
        assert_eq!(frame(&mut body).await.unwrap().unwrap(), text);
        assert_eq!(kept(&events), [Event::CallStarted], "after {text:?}");
    }
    wait(secs(2)).await;
    drop(pipe);
    assert!(frame(&mut body).await.is_none());
    let told = call(answered(200, Class::Success, true), secs(6));
    assert_eq!(kept(&events), told);
    wait(secs(2)).await;
    drop(body);
    assert_eq!(kept(&events), told, "and isn't told again");
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_length_is_known_is_read_with_its_last_byte() {
    let (events, layer) = attempts();
    let service = layer.layer(Streaming::new([Body::from("all of it")]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    assert_eq!(kept(&events), [Event::AttemptStarted]);
    assert_eq!(frame(&mut body).await.unwrap().unwrap(), "all of it");
    assert_eq!(kept(&events), attempt(answered(200, Class::Success, true), secs(0)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_left_unread_is_told_as_an_answer_all_the_same() {
    for read_a_part in [false, true] {
        let (pipe, body) = piped();
        let (events, layer) = calls();
        let service = layer.layer(Streaming::new([body]));
        let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
        if read_a_part {
            pipe.feed("one");
            assert!(frame(&mut body).await.unwrap().is_ok());
        }
        wait(secs(2)).await;
        drop(body);
        assert_eq!(kept(&events), call(answered(200, Class::Success, false), secs(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_a_failure_that_was_answered() {
    let (pipe, body) = piped();
    let (events, layer) = calls();
    let service = layer.layer(Streaming::new([body]));
    let mut body = Box::pin(send(&service, get()).await.unwrap().into_body());
    pipe.feed("half of");
    assert!(frame(&mut body).await.unwrap().is_ok());
    wait(secs(2)).await;
    pipe.break_off();
    assert!(frame(&mut body).await.unwrap().is_err());
    let told = call(failed(Class::Transport(Fault::Reset), Delivery::Answered), secs(2));
    assert_eq!(kept(&events), told, "it is told at once");
    drop(body);
    assert_eq!(kept(&events), told);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_bodys_error_is_one_of_the_body() {
    let (events, layer) = attempts();
    let service = layer.layer(service_fn(|_| async {
        let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), Err("decoding failed")];
        Ok::<_, Error>(Response::new(StreamBody::new(stream::iter(frames))))
    }));
    let body = send(&service, get()).await.unwrap().into_body();
    let error = body.collect().await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "decoding failed", "as it was");
    let end = failed(Class::Transport(Fault::Body), Delivery::Answered);
    assert_eq!(kept(&events), attempt(end, secs(0)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_falls_silent_is_a_timeout() {
    let (_pipe, body) = piped();
    let (events, layer) = attempts();
    let idle = IdleTimeoutLayer::new(secs(3)).layer(Streaming::new([body]));
    assert!(fetch(&layer.layer(idle), get()).await.is_err());
    let end = failed(Class::Timeout(Phase::BodyIdle), Delivery::Answered);
    assert_eq!(kept(&events), attempt(end, secs(3)));
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_by_the_deadline_is_a_timeout_of_the_call() {
    let (_pipe, body) = piped();
    let (events, layer) = calls();
    let service = layer.layer(DeadlineLayer::new(secs(8)).layer(Streaming::new([body])));
    assert!(fetch(&service, get()).await.is_err());
    let end = failed(Class::Timeout(Phase::Call), Delivery::Answered);
    assert_eq!(kept(&events), call(end, secs(8)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_whose_body_the_deadline_cut_was_not_left_unread_by_choice() {
    let (_pipe, body) = piped();
    let (told, emitter) = listener();
    let observed = ObserveLayer::attempt(emitter).layer(Streaming::new([body]));
    let service = DeadlineLayer::new(secs(8)).layer(observed);
    assert!(fetch(&service, get()).await.is_err());
    let end = failed(Class::Timeout(Phase::Call), Delivery::Answered);
    assert_eq!(kept(&told), attempt(end, secs(8)));
}

#[tokio::test(start_paused = true)]
async fn trailers_belong_to_the_body() {
    let (pipe, body) = piped();
    let (events, layer) = attempts();
    let service = layer.layer(Streaming::new([body]));
    let body = send(&service, get()).await.unwrap().into_body();
    pipe.feed("one");
    pipe.trailers([(http::header::ETAG, "v1".parse().unwrap())].into_iter().collect());
    drop(pipe);
    let collected = body.collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["etag"], "v1");
    assert_eq!(kept(&events), attempt(answered(200, Class::Success, true), secs(0)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_fails_can_be_observed() {
    let (events, layer) = attempts();
    let service = layer.layer(service_fn(|_| async {
        let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"one")))];
        Ok::<_, Error>(Response::new(StreamBody::new(stream::iter(frames))))
    }));
    let body = send(&service, get()).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "one");
    assert_eq!(kept(&events).len(), 2);
}
