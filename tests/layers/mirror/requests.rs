//! What a copy carries of the real call, and what it doesn't.

use http::{HeaderValue, Request, Uri};
use outrigger::context::{Context, CorrelationId, Scope};
use outrigger::correlation::CorrelationLayer;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, IdempotencyKey, Integration, Ratio};
use tower::Layer;

use super::{Mirrored, as_it_is, bringing};
use crate::call::{get, keyed_post, post, status};
use crate::clock::settle;

/// Something of the user's.
#[derive(Clone, Debug, PartialEq)]
struct Mark(u32);

fn mirror(target: Script) -> MirrorLayer<Script> {
    MirrorLayer::new(target, Ratio::ONE).choose(|_| true)
}

/// The copy of a call that goes through `outer`, and the real request.
async fn seen<L>(outer: L, request: Request<Body>) -> (Request<bytes::Bytes>, Request<bytes::Bytes>)
where
    L: Layer<outrigger::mirror::Mirror<Script, Script>>,
    L::Service: tower::Service<Request<Body>, Error: std::fmt::Debug> + Clone,
{
    let (real, copy) = (Script::new([Answer::status(200)]), Script::new([Answer::status(200)]));
    let service = outer.layer(mirror(copy.clone()).layer(real.clone()));
    crate::call::send(&service, request).await.map(drop).unwrap();
    settle().await;
    (real.requests().remove(0), copy.requests().remove(0))
}

#[tokio::test(start_paused = true)]
async fn method_headers_body_and_extensions_go_with_the_copy() {
    let mut request = post("amount=1000").map(Body::from);
    request.headers_mut().insert("x-own", HeaderValue::from_static("kept"));
    request.extensions_mut().insert(Mark(7));
    let (real, copy) = seen(tower::layer::util::Identity::new(), request).await;
    assert_eq!((copy.method(), copy.uri()), (real.method(), real.uri()));
    assert_eq!((copy.headers(), copy.version()), (real.headers(), real.version()));
    assert_eq!((copy.body(), copy.extensions().get()), (real.body(), Some(&Mark(7))));
    assert_eq!(copy.body(), "amount=1000");
}

#[tokio::test(start_paused = true)]
async fn the_copy_has_no_context_and_the_correlation_id_of_the_real_call() {
    let (real, copy) = seen(CorrelationLayer::new(), get()).await;
    let context = real.extensions().get::<Context>().unwrap();
    assert!(copy.extensions().get::<Context>().is_none());
    assert_eq!(copy.extensions().get::<CorrelationId>(), context.correlation_id());
}

#[tokio::test(start_paused = true)]
async fn the_targets_own_stack_sends_the_same_id() {
    let target = Script::new([Answer::status(200)]);
    let next = Integration::user_flow("next").service(target.clone()).build().unwrap();
    let id = CorrelationId::new("order-1042").unwrap();
    let real = Script::new([Answer::status(200)]);
    let mirrored = MirrorLayer::new(next, Ratio::ONE).layer(real.clone());
    let service = CorrelationLayer::new().layer(mirrored.clone());
    status(&service, bringing(id.clone())).await.unwrap();
    Scope::new().correlation_id(id).run(status(&mirrored, get())).await.unwrap();
    settle().await;
    let sent = target.requests();
    assert_eq!(sent.len(), 2);
    for copy in &sent {
        assert_eq!(copy.headers()["x-request-id"], "order-1042");
    }
}

#[tokio::test(start_paused = true)]
async fn the_copy_carries_no_idempotency_key() {
    let mut by_extension = post("amount=1000");
    by_extension.extensions_mut().insert(IdempotencyKey::new("charge-1").unwrap());
    let (real, copy) = seen(tower::layer::util::Identity::new(), by_extension).await;
    assert!(real.extensions().get::<IdempotencyKey>().is_some());
    assert!(copy.extensions().get::<IdempotencyKey>().is_none());

    let (real, copy) = seen(tower::layer::util::Identity::new(), keyed_post("amount=1000")).await;
    assert_eq!(real.headers()["idempotency-key"], "charge-1");
    assert!(!copy.headers().contains_key("idempotency-key"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_put_under_another_header_is_taken_off_too() {
    let paypal = IdempotencyLayer::new(outrigger::idempotency::KeyProfile::paypal());
    let mut request = post("amount=1000");
    request.headers_mut().insert("x-own", HeaderValue::from_static("kept"));
    let (real, copy) = seen(paypal, request).await;
    assert!(real.headers().contains_key("paypal-request-id"));
    assert!(!copy.headers().contains_key("paypal-request-id"));
    assert_eq!(copy.headers()["x-own"], "kept");
}

#[tokio::test(start_paused = true)]
async fn the_copy_is_made_fit_for_the_other_api() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| {
        layer.prepare(|mut request| {
            *request.uri_mut() = Uri::from_static("https://api.next.example/v2/charges");
            request.headers_mut().remove("authorization");
            request.map(|_| Body::from("another"))
        })
    });
    let mut request = get();
    request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer secret"));
    status(&mirrored.service, request).await.unwrap();
    settle().await;
    let copy = &mirrored.target.requests()[0];
    assert_eq!(copy.uri(), "https://api.next.example/v2/charges");
    assert_eq!((copy.headers().len(), &copy.body()[..]), (0, &b"another"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_copy_without_any_id_gets_none_here() {
    let mirrored = Mirrored::to(Answer::status(200), as_it_is);
    status(&mirrored.service, get()).await.unwrap();
    settle().await;
    assert!(mirrored.target.requests()[0].extensions().get::<CorrelationId>().is_none());
}
