use std::pin::pin;

use bytes::Bytes;
use http::{Method, Version};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use outrigger::Body;
use tower::{Layer, Service, ServiceExt};

use super::{read, request};
use crate::provider::{CHUNKS, Mark, Provider};
use crate::subject::{Subject, Wrapped};

pub(crate) async fn the_body_announces_itself<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(Provider::default());
    let call = service.ready().await.expect("ready").call(request("order"));
    let mut body = pin!(call.await.expect("an answer").into_body());
    let mut left: u64 = CHUNKS.iter().map(|chunk| chunk.len() as u64).sum();
    for chunk in CHUNKS {
        assert_eq!(body.size_hint().exact(), Some(left));
        assert!(!body.is_end_stream());
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.data_ref().map(|data| &data[..]), Some(chunk));
        left -= chunk.len() as u64;
    }
    assert!(!body.is_end_stream(), "there are trailers yet");
    let trailers = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(trailers.trailers_ref().expect("trailers")["x-checksum"], "7");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    subject.assert_nothing_held();
}

pub(crate) async fn the_request_body_announces_itself<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let provider = Provider::default();
    let mut service = subject.layer(provider.clone());
    for body in ["order", ""] {
        let call = service.ready().await.expect("ready").call(request(body));
        read::<L::Service, Body>(call).await.expect("an answer");
    }
    let seen = provider.seen();
    assert_eq!((seen[0].size, seen[0].ended), (5, false));
    assert_eq!((seen[1].size, seen[1].ended), (0, true));
}

pub(crate) async fn the_request_is_kept<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let provider = Provider::default();
    let mut service = subject.layer(provider.clone());
    let call = service.ready().await.expect("ready").call(request("order"));
    read::<L::Service, Body>(call).await.expect("an answer");
    let seen = &provider.seen()[0].request;
    assert_eq!(seen.method(), Method::PUT);
    assert_eq!(seen.uri(), "http://provider.test/charges/1?limit=2");
    assert_eq!(seen.version(), Version::HTTP_11);
    assert_eq!(seen.headers()["x-own"], "kept");
    assert_eq!(seen.extensions().get(), Some(&Mark(7)));
    assert_eq!(seen.body(), "order");
}

pub(crate) async fn the_answer_is_kept<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Body>>,
{
    let subject = make();
    subject.prepare().await;
    let mut service = subject.layer(Provider::default());
    let call = service.ready().await.expect("ready").call(request("order"));
    let mut response = read::<L::Service, Body>(call).await.expect("an answer");
    // A cache says what it did (RFC 9211).
    response.headers_mut().remove("cache-status");
    assert_eq!(response.status(), 201);
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(response.headers().len(), 3);
    assert_eq!(response.headers()["location"], "/charges/1");
    let twice: Vec<_> = response.headers().get_all("x-twice").iter().collect();
    assert_eq!(twice, ["one", "two"]);
    assert_eq!(response.extensions().get(), Some(&Mark(201)));
    assert_eq!(response.body(), &CHUNKS.concat());
}

pub(crate) async fn any_request_body<L>(make: impl Fn() -> L)
where
    L: Subject + Layer<Provider, Service: Wrapped<Full<Bytes>>>,
{
    let subject = make();
    subject.prepare().await;
    let provider = Provider::default();
    let mut service = subject.layer(provider.clone());
    let full = Full::new(Bytes::from_static(b"all of it"));
    let call = service.ready().await.expect("ready").call(request(full));
    let response = read::<L::Service, Full<Bytes>>(call).await;
    assert_eq!(response.expect("an answer").status(), 201);
    assert_eq!(provider.seen()[0].request.body(), "all of it");
    assert_eq!(provider.seen()[0].size, 9);
}
