//! The checks of the contract, each for a layer that is made anew by a function.

pub(crate) mod dropping;
pub(crate) mod errors;
pub(crate) mod passing;
pub(crate) mod readiness;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body_util::BodyExt;
use outrigger::{Body, BoxError};
use tower::ServiceExt;

use crate::provider::Mark;
use crate::subject::Wrapped;

/// A request with something of everything on it.
fn request<B>(body: impl Into<B>) -> Request<B> {
    Request::builder()
        .method(Method::PUT)
        .uri("http://provider.test/charges/1?limit=2")
        .version(Version::HTTP_11)
        .header("x-own", "kept")
        .extension(Mark(7))
        .body(body.into())
        .expect("a request")
}

/// The response's head and its whole body.
async fn read<S: Wrapped<B>, B>(call: S::Future) -> Result<Response<Bytes>, BoxError> {
    let (parts, body) = call.await.map_err(Into::into)?.into_parts();
    let body = body.collect().await.map_err(Into::into)?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// A whole call that must succeed.
async fn succeed<S: Wrapped<Body>>(service: &mut S) {
    let call = service.ready().await.expect("ready").call(request("order"));
    let response = read::<S, Body>(call).await.expect("an answer");
    assert_eq!(response.status(), 201);
}

/// Polls once, on nobody's behalf.
fn poll_once<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls so many times, and then drops; nothing, if it hadn't ended by then.
async fn poll_times<F: Future>(times: u32, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            poll => poll.map(Some),
        }
    })
    .await
}
