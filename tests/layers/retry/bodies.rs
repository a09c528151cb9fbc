//! Request bodies: sent again whole, or once.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Collected, StreamBody};
use outrigger::body::ReplayBody;
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, BoxError, Error};
use tower::{Layer, service_fn};

use super::plain;
use crate::call::{keyed_post, send, status};
use crate::clock::{secs, spawn, within};
use crate::provider::{piped, streamed};

fn bodies(provider: &Script) -> Vec<Bytes> {
    provider.requests().into_iter().map(Request::into_body).collect()
}

#[tokio::test(start_paused = true)]
async fn the_whole_body_is_sent_on_every_attempt() {
    let chunks = ["amount=", "1000", "&currency=eur"];
    let whole = "amount=1000&currency=eur";
    for body in [Body::from(whole), streamed(&chunks)] {
        let provider = Script::new([Answer::status(503), Answer::status(503), Answer::status(200)]);
        let service = plain().layer(provider.clone());
        assert_eq!(status(&service, keyed_post(body)).await.unwrap(), 200);
        assert_eq!(bodies(&provider), [whole; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_as_large_as_the_cap_is_kept_and_a_larger_one_is_sent_once() {
    for (cap, times) in [(10, 3), (9, 1)] {
        for body in [Body::from("0123456789"), streamed(&["01234", "56789"])] {
            let provider = Script::new([Answer::status(503)]);
            let service = plain().body_cap(cap).layer(provider.clone());
            let response = send(&service, keyed_post(body)).await.unwrap();
            assert_eq!(bodies(&provider), vec!["0123456789"; times], "cap {cap}");
            let retries = response.extensions().get::<Retries>().unwrap();
            let why = if times == 1 { GaveUp::BodyNotKept } else { GaveUp::Attempts };
            assert_eq!(retries.gave_up, Some(why));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_cap_is_sent_whole_when_all_goes_well() {
    let provider = Script::new([Answer::status(200)]);
    let service = plain().body_cap(1).layer(provider.clone());
    assert_eq!(status(&service, keyed_post(streamed(&["01", "23", "45"]))).await.unwrap(), 200);
    assert_eq!(bodies(&provider), ["012345"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_still_being_written_is_sent_as_it_comes() {
    let (pipe, body) = piped();
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let service = plain().layer(provider.clone());
    let call = crate::clock::begin(async move { status(&service, keyed_post(body)).await }).await;
    pipe.feed("first ");
    crate::clock::settle().await;
    assert_eq!((provider.begun(), provider.requests().len()), (1, 0), "it waits for the rest");
    pipe.feed("second");
    drop(pipe);
    assert_eq!(call.await.unwrap().unwrap(), 200);
    assert_eq!(bodies(&provider), ["first second"; 2]);
}

#[tokio::test(start_paused = true)]
async fn trailers_are_sent_again_too() {
    let seen = Arc::new(Mutex::new(Vec::<(Bytes, Option<HeaderMap>)>::new()));
    let provider = service_fn({
        let seen = Arc::clone(&seen);
        move |request: Request<ReplayBody<Body>>| {
            let seen = Arc::clone(&seen);
            async move {
                let all: Collected<Bytes> = request.into_body().collect().await?;
                let trailers = all.trailers().cloned();
                seen.lock().unwrap().push((all.to_bytes(), trailers));
                let response = Response::builder().status(503).body(Body::empty());
                Ok::<_, Error>(response.unwrap())
            }
        }
    });
    let (pipe, body) = piped();
    pipe.feed("data");
    let trailers = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("sum"))]);
    pipe.trailers(trailers.clone());
    drop(pipe);
    let _ = status(&plain().layer(provider), keyed_post(body)).await;
    let expected = (Bytes::from_static(b"data"), Some(trailers));
    assert_eq!(*seen.lock().unwrap(), vec![expected; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_cut_in_mid_upload_is_followed_by_a_whole_one() {
    let attempts = Arc::new(Mutex::new(0));
    let provider = service_fn(move |request: Request<_>| {
        *attempts.lock().unwrap() += 1;
        let first = *attempts.lock().unwrap() == 1;
        async move {
            let mut body = Box::pin(BodyExt::map_err(request.into_body(), |error: Error| error));
            if first {
                let frame = body.frame().await.unwrap()?;
                assert_eq!(frame.into_data().unwrap(), "one ");
                std::future::pending::<()>().await;
            }
            let all = body.collect().await?.to_bytes();
            Ok::<_, Error>(Response::new(Body::from(all)))
        }
    });
    let service = plain().layer(TimeoutLayer::new().attempt(secs(1)).layer(provider));
    let response = send(&service, keyed_post(streamed(&["one ", "two ", "three"]))).await.unwrap();
    assert_eq!(Body::new(response.into_body()).text().await.unwrap(), "one two three");
}

#[tokio::test(start_paused = true)]
async fn a_body_of_known_size_says_so_on_every_attempt() {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let provider = service_fn({
        let sizes = Arc::clone(&sizes);
        move |request: Request<ReplayBody<Body>>| {
            sizes.lock().unwrap().push(request.body().size_hint().exact());
            async move {
                let body = request.into_body();
                body.collect().await?;
                let response = Response::builder().status(503).body(Body::empty());
                Ok::<_, Error>(response.unwrap())
            }
        }
    });
    let service = plain().layer(provider);
    let _ = status(&service, keyed_post("0123456789")).await;
    let _ = status(&service, keyed_post(Body::empty())).await;
    let expected = [Some(10), Some(10), Some(10), Some(0), Some(0), Some(0)];
    assert_eq!(*sizes.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_request_body_that_breaks_is_not_sent_again() {
    let (pipe, body) = piped();
    pipe.feed("half");
    pipe.break_off();
    let provider = Script::new([Answer::status(200)]);
    let error = status(&plain().layer(provider.clone()), keyed_post(body)).await.unwrap_err();
    assert_eq!((provider.begun(), error.gave_up()), (1, Some(GaveUp::BodyNotKept)));
}

/// A client that catches a panic of what it sends may fail for it, and be asked again.
#[tokio::test(start_paused = true)]
async fn a_body_that_panicked_is_not_waited_for_by_a_later_attempt() {
    let service = plain().layer(service_fn(|request: Request<ReplayBody<Body>>| async {
        let sent = spawn(request.into_body().collect()).await;
        // The first attempt's panicked, and no other is sent.
        assert!(sent.is_err() || sent.is_ok_and(|sent| sent.is_err()));
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Err::<Response<Body>, BoxError>(gone.into())
    }));
    let panicking = stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    let call = send(&service, keyed_post(Body::new(StreamBody::new(panicking))));
    assert!(within(secs(60), call).await.expect("it hangs").is_err());
}
