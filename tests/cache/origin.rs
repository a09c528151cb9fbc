//! A provider whose answers a test scripts, behind an integration or a layer with a cache.

use std::time::{Duration, SystemTime};

use http::{Method, Request, Response};
use outrigger::cache::{CacheLayer, CacheOutcome};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error, Integration};

pub(crate) const RATE: &str = "http://rates.test/eur";

/// What a call got.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) head: Response<()>,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn outcome(&self) -> CacheOutcome {
        *self.head.extensions().get().expect("the cache says what it did")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A layer whose wall clock moves with the paused one.
pub(crate) fn layer() -> CacheLayer {
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    CacheLayer::new().clock(Clock::anchored(began)).rng(Rng::seeded(7))
}

pub(crate) fn integration(layer: CacheLayer, provider: &Script) -> Integration {
    Integration::user_flow("rates")
        .without_retry()
        .without_breaker()
        .without_rate_limit()
        .cache(layer)
        .service(provider.clone())
        .build()
        .unwrap()
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    request(Method::GET, uri)
}

pub(crate) fn request(method: Method, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

pub(crate) async fn send(to: &Integration, request: Request<Body>) -> Result<Got, Error> {
    let (head, body) = to.send(request).await?.into_parts();
    let text = body.text().await?;
    Ok(Got { head: Response::from_parts(head, ()), text })
}

pub(crate) async fn ask(to: &Integration) -> Got {
    send(to, get(RATE)).await.unwrap()
}

/// An answer that is fresh for a minute.
pub(crate) fn fresh(text: &'static str) -> Answer {
    cached(text, "max-age=60")
}

pub(crate) fn cached(text: &'static str, control: &str) -> Answer {
    Answer::status(200).header("cache-control", control).body(text)
}

pub(crate) async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// It has this outcome and text.
pub(crate) fn is(got: &Got, outcome: CacheOutcome, text: &str) {
    assert_eq!((got.outcome(), got.text.as_str()), (outcome, text), "{got:?}");
}
