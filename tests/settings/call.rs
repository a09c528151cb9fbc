//! Calls, by hand and to their end, and settings from a line or two.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Method, Request};
use outrigger::backoff::Backoff;
use outrigger::integration::Call;
use outrigger::retry::{RetryBudget, RetryLayer, RetryOverride};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error, Integration, IntegrationConfig};
use tower::{Layer, ServiceExt};

pub(crate) fn config(file: &str) -> IntegrationConfig {
    toml::from_str(file).unwrap()
}

/// Applies a file.
#[track_caller]
pub(crate) fn apply(integration: &Integration, file: &str) {
    integration.apply(&config(file)).unwrap();
}

pub(crate) fn get() -> Request<Body> {
    request(Method::GET)
}

pub(crate) fn request(method: Method) -> Request<Body> {
    let request = Request::builder().method(method).uri("http://crm.test/orders");
    request.body(Body::empty()).unwrap()
}

/// A request that is not to be tried again.
pub(crate) fn once() -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(RetryOverride::Never);
    request
}

pub(crate) async fn status(call: Call) -> Result<u16, Error> {
    let (parts, body) = call.await?.into_parts();
    body.text().await.map(|_| parts.status.as_u16())
}

/// The error that a call must end with, and how long that took.
pub(crate) async fn failure(call: Call) -> (Error, Duration) {
    let began = tokio::time::Instant::now();
    (status(call).await.expect_err("it fails"), began.elapsed())
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

pub(crate) fn answers(status: u16) -> Script {
    Script::new([Answer::status(status)])
}

pub(crate) fn hangs() -> Script {
    Script::new([Answer::hang()])
}

/// The preset for people, around a provider.
pub(crate) fn user_flow(provider: &Script) -> Integration {
    Integration::user_flow("crm").service(provider.clone()).build().unwrap()
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
