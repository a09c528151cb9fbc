//! Calls that are refused: the provider isn't called.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::event::SwitchMode;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::{Body, Integration};
use tower::{Layer, Service, ServiceBuilder};

use crate::provider::{self, Provider, Silent, Way, request};
use crate::subjects::{Over, Subject};

pub(crate) fn all(way: Way) -> Vec<Subject> {
    let mut all = alone(way);
    all.extend(through_an_integration(way));
    all
}

fn alone(way: Way) -> Vec<Subject> {
    type Sent = Empty<Bytes>;
    let full = ServiceBuilder::new().load_shed().concurrency_limit(1).service(Silent);
    let breaker = CircuitBreakerLayer::new();
    breaker.handle().force_open();
    let switch = KillSwitchLayer::new();
    switch.handle().set(SwitchMode::Off, "the bench", "to see what it costs");
    let bulkhead = BulkheadLayer::new(1).layer(Silent);
    vec![
        refused::<_, Sent, _>("tower: load shed", occupied::<_, Sent>(full)),
        refused::<_, Sent, _>("circuit_breaker, open", breaker.layer(Provider::new(way))),
        refused::<_, Sent, _>("kill_switch, off", switch.layer(Provider::new(way))),
        refused::<_, Sent, _>("bulkhead, full", occupied::<_, Sent>(bulkhead)),
    ]
}

fn through_an_integration(way: Way) -> Vec<Subject> {
    let user_flow = || Integration::user_flow("stripe");
    let open = user_flow().service(Provider::new(way)).build().unwrap();
    open.breaker().force_open();
    let off = user_flow().service(Provider::new(way)).build().unwrap();
    off.kill_switch().set(SwitchMode::Off, "the bench", "to see what it costs");
    let full = user_flow().bulkhead(|places| places.concurrency(1)).service(Silent);
    let full = full.build().unwrap();
    vec![
        refused::<_, Body, _>("user_flow, open breaker", open),
        refused::<_, Body, _>("user_flow, switched off", off),
        refused::<_, Body, _>("user_flow, full bulkhead", occupied::<_, Body>(full)),
    ]
}

/// A service that refuses each call.
fn refused<S, R, B>(name: &'static str, mut service: S) -> Subject
where
    S: Service<Request<R>, Response = Response<B>> + 'static,
    S::Error: Debug,
    R: Default + 'static,
    B: http_body::Body<Data = Bytes>,
    B::Error: Debug,
{
    let call = move || assert!(provider::call(&mut service, request(), || {}).is_err());
    Subject::new(name, Over::Request, call)
}

/// The service, with a call in it that never ends.
fn occupied<S, R>(mut service: S) -> S
where
    S: Service<Request<R>, Future: 'static>,
    R: Default,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    let call = Box::leak(Box::new(service.call(request())));
    assert!(Pin::static_mut(call).poll(cx).is_pending());
    service
}
