//! Bodies that a connection still holds when the next attempt, or the next call, begins.
//!
//! Clients send a body from a task of the connection's, which outlives the answer's head: a
//! provider may answer long before it has read everything.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use outrigger::body::ReplayBody;
use outrigger::{Body, Error};
use tokio::sync::mpsc;
use tower::{Layer, service_fn};

use super::plain;
use crate::call::{keyed_post, status};
use crate::clock::{begin, secs, settle, spawn, wait, within};
use crate::provider::{piped, streamed};

type Sent = Option<Result<Bytes, Error>>;

/// Reads `body` as a connection would, as slowly as `pace` says between frames, for a minute.
async fn upload(mut body: ReplayBody<Body>, pace: std::time::Duration) -> Sent {
    let read = async {
        let mut all = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => all.extend(frame.into_data().unwrap_or_default()),
                Err(error) => return Err(error),
            }
            wait(pace).await;
        }
        Ok(Bytes::from(all))
    };
    within(secs(60), read).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_before_the_upload_is_over_cuts_nothing_off() {
    let (told, mut uploads) = mpsc::unbounded_channel();
    let attempts = Arc::new(Mutex::new(0));
    let provider = service_fn(move |request: Request<ReplayBody<Body>>| {
        *attempts.lock().unwrap() += 1;
        let code = if *attempts.lock().unwrap() == 1 { 503 } else { 200 };
        let told = told.clone();
        async move {
            if code == 503 {
                request.into_body().collect().await?;
            } else {
                // The head comes at once, while the connection goes on sending.
                spawn(async move { told.send(upload(request.into_body(), secs(1)).await) });
            }
            Ok::<_, Error>(Response::builder().status(code).body(Body::empty()).unwrap())
        }
    });
    let request = keyed_post(streamed(&["one ", "two ", "three"]));
    assert_eq!(status(&plain().layer(provider), request).await.unwrap(), 200);
    let sent = uploads.recv().await.unwrap().expect("the upload ends").unwrap();
    assert_eq!(sent, "one two three");
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_waits_for_what_the_first_still_holds() {
    let attempts = Arc::new(Mutex::new(0));
    let provider = service_fn(move |request: Request<ReplayBody<Body>>| {
        *attempts.lock().unwrap() += 1;
        let first = *attempts.lock().unwrap() == 1;
        async move {
            let body = request.into_body();
            if first {
                // Answered without a look at the body, which the connection drops a little later.
                spawn(async move {
                    wait(secs(5)).await;
                    drop(body);
                });
                let response = Response::builder().status(503).body(Body::empty());
                return Ok::<_, Error>(response.unwrap());
            }
            let all = body.collect().await?.to_bytes();
            assert_eq!(all, "one two");
            Ok(Response::new(Body::empty()))
        }
    });
    let request = keyed_post(streamed(&["one ", "two"]));
    assert_eq!(status(&plain().layer(provider), request).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_outgrows_the_cap_meanwhile_is_not_passed_off_as_whole() {
    let (told, mut uploads) = mpsc::unbounded_channel();
    let attempts = Arc::new(Mutex::new(0));
    let provider = service_fn(move |request: Request<ReplayBody<Body>>| {
        *attempts.lock().unwrap() += 1;
        let first = *attempts.lock().unwrap() == 1;
        let told = told.clone();
        async move {
            let upload = upload(request.into_body(), secs(0));
            if first {
                // An early answer: the connection goes on with the first upload.
                spawn(upload);
                let response = Response::builder().status(503).body(Body::empty());
                return Ok::<_, Error>(response.unwrap());
            }
            let _ = told.send(upload.await);
            Ok(Response::new(Body::empty()))
        }
    });
    let (pipe, body) = piped();
    pipe.feed("0123");
    let service = plain().body_cap(6).layer(provider);
    let call = begin(async move { status(&service, keyed_post(body)).await.map(drop) }).await;
    wait(secs(1)).await;
    // Both attempts are under way; now the body turns out to be too large to be kept.
    pipe.feed("4567");
    settle().await;
    drop(pipe);
    let second = within(secs(90), uploads.recv()).await.flatten().flatten();
    if let Some(Ok(sent)) = second {
        assert_eq!(sent, "01234567", "the provider took a part for the whole");
    }
    call.abort();
}
