//! Trying again.

mod answers;
mod awaiting;
mod bodies;
mod budget;
mod conditions;
mod delays;
mod earlier;
mod limits;
mod resent;
mod results;
mod under_way;

use http::Request;
use outrigger::backoff::Backoff;
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error};
use tower::Layer;

use crate::call::status;
use crate::clock::millis;

/// Three attempts, 100 ms apart, and no budget in the way.
pub(crate) fn plain() -> RetryLayer {
    RetryLayer::new().backoff(Backoff::fixed(millis(100))).budget(RetryBudget::unlimited())
}

/// How often a provider with these answers sees the request, and what the caller gets.
async fn seen(
    layer: RetryLayer,
    answers: impl IntoIterator<Item = Answer>,
    request: Request<Body>,
) -> (usize, Result<u16, Error>) {
    let provider = Script::new(answers);
    let result = status(&layer.layer(provider.clone()), request).await;
    (provider.begun(), result)
}

/// How often a provider that always answers so sees the request.
async fn times(answer: Answer, request: Request<Body>) -> usize {
    seen(plain(), [answer], request).await.0
}
