//! Requests to send, and calls that are polled by hand.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Method, Request, Response};
use outrigger::backoff::Backoff;
use outrigger::integration::Call;
use outrigger::retry::{RetryBudget, RetryLayer, RetryOverride};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error, Integration};
use tower::{Layer, ServiceExt};

pub(crate) fn get() -> Request<Body> {
    request(Method::GET)
}

pub(crate) fn post() -> Request<Body> {
    request(Method::POST)
}

pub(crate) fn request(method: Method) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri("http://crm.test/orders")
        .body(Body::empty())
        .expect("a request")
}

/// A request that is not to be tried again.
pub(crate) fn once() -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(RetryOverride::Never);
    request
}

/// Takes out of a budget all that is in it, the floor too.
pub(crate) async fn spend(budget: &RetryBudget) {
    let layer = RetryLayer::new()
        .max_attempts(u32::MAX)
        .backoff(Backoff::schedule([Duration::ZERO]))
        .budget(budget.clone());
    let failing = layer.layer(Script::new([Answer::status(500)]));
    failing.oneshot(get()).await.expect("an answer");
    assert_eq!(budget.saved(), Some(0));
}

/// The response's head and the whole body.
pub(crate) async fn read(call: Call) -> Result<Response<String>, Error> {
    let (parts, body) = call.await?.into_parts();
    Ok(Response::from_parts(parts, body.text().await?))
}

/// The error that a call must end with, and how long that took.
pub(crate) async fn failure(call: Call) -> (Error, Duration) {
    let began = tokio::time::Instant::now();
    let error = read(call).await.expect_err("it fails");
    (error, began.elapsed())
}

/// The status that a call must end with, and how long that took.
pub(crate) async fn status(call: Call) -> (u16, Duration) {
    let began = tokio::time::Instant::now();
    let response = read(call).await.expect("an answer");
    (response.status().as_u16(), began.elapsed())
}

/// So many calls, on their way.
pub(crate) fn hold(integration: &Integration, calls: u32) -> Vec<Call> {
    let hold = |_| {
        let mut call = integration.send(once());
        assert!(poll_once(&mut call).is_pending(), "the call is over");
        call
    };
    (0..calls).map(hold).collect()
}

pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls so many times, and then drops; nothing, if it hadn't ended by then.
pub(crate) async fn poll_times<F: Future>(times: u32, future: F) -> Option<F::Output> {
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

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
