//! What becomes of an inner service's readiness when a call is refused or has to wait.

use http::{Request, Response};
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::event::SwitchMode;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::Answer;
use outrigger::{Body, Error};
use tower::limit::{ConcurrencyLimit, ConcurrencyLimitLayer};
use tower::{Layer, Service, ServiceExt};

use crate::call::{get, ready, status};
use crate::clock::{secs, within};
use crate::provider::Provider;

/// A service that was readied gives back the one place that there is, once its call isn't sent: others
/// get in, though the service is still there.
async fn gives_back<L, R>(layer: L, stop: impl FnOnce(), go_on: impl FnOnce())
where
    L: Layer<ConcurrencyLimit<Provider>>,
    L::Service: Service<Request<Body>, Response = Response<R>, Error = Error> + Clone,
{
    let inner = ConcurrencyLimitLayer::new(1).layer(Provider::new(Answer::status(200)));
    let mut service = layer.layer(inner.clone());
    ready(&mut service).await;
    stop();
    let mut call = Box::pin(service.call(get()));
    let _ = futures_util::poll!(&mut call);
    // The place is free for whoever is beside it, and for the next that comes.
    let other = within(secs(1), inner.oneshot(get())).await;
    assert_eq!(other.expect("the place is held").unwrap().status(), 200);
    drop(call);
    go_on();
    assert_eq!(status(&service, get()).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_kill_switch_refuses_holds_no_place() {
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let set = |mode| switch.set(mode, "ada", "");
    gives_back(layer, || set(SwitchMode::Off), || set(SwitchMode::On)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_breaker_refuses_holds_no_place() {
    let layer = CircuitBreakerLayer::new();
    let breaker = layer.handle();
    gives_back(layer, || breaker.force_open(), || breaker.release()).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_rate_limit_refuses_or_holds_back_holds_no_place() {
    for on_limit in [OnLimit::Reject, OnLimit::Shape] {
        let layer = RateLimitLayer::learning().on_limit(on_limit).max_wait(secs(30));
        let limit = layer.handle();
        for pause in [secs(10), secs(60)] {
            gives_back(layer.clone(), || limit.pause(pause), || limit.forget()).await;
        }
    }
}
