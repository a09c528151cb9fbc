//! What reports ready without asking, and must then wait for the inner service in the call.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use http::Request;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::testing::{Answer, ReadinessProbe, Script};
use outrigger::{Body, Delivery, Error};
use tower::{Layer, Service, ServiceExt};

type Probe = ReadinessProbe<Script>;

fn probe(answer: Answer) -> (Script, Probe) {
    let script = Script::new([answer]);
    (script.clone(), ReadinessProbe::new(script))
}

fn request() -> Request<Body> {
    Request::new(Body::empty())
}

/// Ready for a request of ours.
async fn ready<S: Service<Request<Body>, Error = Error>>(service: &mut S) -> &mut S {
    service.ready().await.expect("ready")
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_is_ready_and_leaves_the_inner_service_alone() {
    let (_, probe) = probe(Answer::hang());
    let service = BulkheadLayer::new(1).layer(probe.clone());
    let (mut first, mut second) = (service.clone(), service);
    let mut held = ready(&mut first).await.call(request());
    assert!((&mut held).now_or_never().is_none());
    let asked = probe.polls();
    assert!(ready(&mut second).now_or_never().is_some());
    assert_eq!(probe.polls(), asked);
    let error = second.call(request()).await.unwrap_err();
    assert!(error.is_rejected());
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_that_was_full_when_asked_readies_the_inner_service_in_the_call() {
    let (script, probe) = probe(Answer::status(200).after(Duration::from_secs(1)));
    let service = BulkheadLayer::new(1).layer(probe.clone());
    let (mut first, mut second) = (service.clone(), service);
    let mut held = ready(&mut first).await.call(request());
    assert!((&mut held).now_or_never().is_none());
    ready(&mut second).await;
    drop(held);
    probe.set_ready(false);
    let mut call = pin!(second.call(request()));
    assert!(call.as_mut().poll(&mut cx()).is_pending());
    let begun = script.begun();
    probe.set_ready(true);
    call.await.unwrap();
    assert_eq!(script.begun(), begun + 1);
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_uses_an_instance_that_is_ready_when_its_turn_comes() {
    let (_, probe) = probe(Answer::status(200).after(Duration::from_secs(1)));
    let layer = BulkheadLayer::new(1).queue(2);
    let service = layer.layer(probe);
    let call = |readied_before: bool| {
        let mut service = service.clone();
        async move {
            if !readied_before {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            ready(&mut service).await.call(request()).await
        }
    };
    let (first, second, third) = tokio::join!(call(true), call(true), call(false));
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!((layer.handle().in_use(), layer.handle().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_ready_and_leaves_the_inner_service_alone() {
    let (script, probe) = probe(Answer::status(200));
    let layer = CircuitBreakerLayer::new();
    layer.handle().force_open();
    let mut service = layer.layer(probe.clone());
    let error = ready(&mut service).await.call(request()).await;
    assert!(error.unwrap_err().is_rejected());
    assert_eq!((probe.polls(), script.begun()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_was_open_when_asked_readies_the_inner_service_in_the_call() {
    let (script, probe) = probe(Answer::status(200));
    let layer = CircuitBreakerLayer::new();
    layer.handle().force_open();
    let mut service = layer.layer(probe.clone());
    ready(&mut service).await;
    layer.handle().release();
    probe.set_ready(false);
    let mut call = pin!(service.call(request()));
    assert!(call.as_mut().poll(&mut cx()).is_pending());
    assert_eq!(script.begun(), 0);
    probe.set_ready(true);
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_while_the_inner_service_is_not_ready() {
    let (script, probe) = probe(Answer::status(200));
    probe.set_ready(false);
    let mut service = DeadlineLayer::new(Duration::from_secs(2)).layer(probe);
    let began = tokio::time::Instant::now();
    let result = ready(&mut service).await.call(request()).await;
    let error = result.err().unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(script.begun(), 0);
}
