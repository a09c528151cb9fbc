//! Which attempts are signed, and with what.

use std::future::pending;
use std::time::Duration;

use http::{HeaderName, Request};
use outrigger::event::Event;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::KeySource;
use outrigger::pattern::layers;
use outrigger::retry::RetryLayer;
use outrigger::sign::{Sign, SignError, SignLayer, Signed, SigningBody, SigningInput};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::{Body, Delivery, ErrorKind, IntegrationBuilder};
use tower::{ServiceBuilder, ServiceExt};

use crate::bench::{Bench, Counter, header, post, secs};

fn ok() -> Script {
    Script::new([Answer::status(200)])
}

fn signatures(provider: &Script) -> Vec<Option<String>> {
    provider.requests().iter().map(|request| header(request, "x-signature")).collect()
}

fn get() -> Request<Body> {
    Request::get("http://shop.test/orders").body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_signed_anew() {
    let (counter, answers) = (Counter::default(), [Answer::status(503), Answer::status(200)]);
    let bench = Bench::new(Script::new(answers), counter.clone());
    assert_eq!(bench.shop.send(get()).await.unwrap().status(), 200);
    assert_eq!(signatures(&bench.provider), [Some("1".into()), Some("2".into())]);
    assert_eq!(counter.inputs().len(), 2);
    let signed = |event: &Event| matches!(event, Event::Signed { key_id: Some(id) } if id.as_str() == "counter");
    assert_eq!(bench.events.count(signed), 2);
    let request = &bench.provider.requests()[0];
    assert!(request.headers()["x-signature"].is_sensitive(), "records may show it");
}

#[tokio::test(start_paused = true)]
async fn a_second_request_beside_a_slow_one_has_a_signature_of_its_own() {
    let answers = [Answer::status(200).after(secs(2)), Answer::status(200)];
    let bench = Bench::with(Script::new(answers), SignLayer::new(Counter::default()), |shop| {
        shop.hedge(HedgeLayer::after(Duration::from_millis(100)))
    });
    bench.shop.send(get()).await.unwrap();
    assert_eq!(signatures(&bench.provider), [Some("1".into()), Some("2".into())]);
}

#[tokio::test(start_paused = true)]
async fn it_covers_what_all_others_add() {
    let counter = Counter::default();
    let bench = Bench::with(ok(), SignLayer::new(counter.clone()), |shop| {
        shop.token(TokenLayer::new(|_| async { Ok(Token::new("t1")) }))
            .default_header("x-shop", "7")
            .idempotency(|keys: outrigger::idempotency::IdempotencyLayer<_>| {
                keys.key_source(KeySource::CallerOrGenerated)
            })
    });
    let mut order = post("an order");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    order.headers_mut().insert("traceparent", trace.parse().unwrap());
    bench.shop.send(order).await.unwrap();
    let (input, request) = (&counter.inputs()[0], &bench.provider.requests()[0]);
    for name in ["authorization", "x-shop", "idempotency-key", "traceparent", "x-trace"] {
        assert!(input.headers.contains_key(name), "{name}");
    }
    // Nothing but the signature was added after it.
    let added =
        request.headers().iter().filter(|(name, value)| input.headers.get(*name) != Some(*value));
    let added: Vec<_> = added.map(|(name, _)| name.as_str()).collect();
    assert_eq!(added, ["x-signature", "x-time"]);
    assert_eq!((&input.uri, &input.method), (request.uri(), request.method()));
    assert_eq!(input.body, SigningBody::Whole("an order".into()));
}

#[tokio::test(start_paused = true)]
async fn only_requests_to_the_base_urls_origin_are_signed() {
    let bench = Bench::with(ok(), SignLayer::new(Counter::default()), |shop| {
        shop.base_url("https://api.shop.test/v1").allow_origin("https://files.shop.test")
    });
    for url in ["orders", "https://files.shop.test/1", "https://API.shop.test:443/v1/orders"] {
        bench.shop.get(url).send().await.unwrap();
    }
    assert_eq!(signatures(&bench.provider), [Some("1".into()), None, Some("2".into())]);

    let none = SignLayer::new(Counter::default()).only_to(|uri| uri.path() != "/orders");
    let bench = Bench::with(ok(), none, |shop| shop);
    bench.shop.send(get()).await.unwrap();
    assert_eq!(signatures(&bench.provider), [None]);
    let bench =
        Bench::with(ok(), SignLayer::new(Counter::default()), IntegrationBuilder::without_sign);
    bench.shop.send(get()).await.unwrap();
    assert_eq!((signatures(&bench.provider), bench.shop.health().signing), (vec![None], None));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_signed_is_not_sent() {
    let mut fails = true;
    let signer = std::sync::Mutex::new(move || std::mem::replace(&mut fails, false));
    let bench = Bench::new(ok(), move |_: &SigningInput| match signer.lock().unwrap()() {
        true => Err(SignError::new("the vault is away")),
        false => Ok(Signed::default()),
    });
    let error = bench.shop.send(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
    assert!(error.to_string().ends_with("it could not be signed: the vault is away"), "{error}");
    assert_eq!((bench.provider.begun(), error.attempts()), (0, 0));
    assert_eq!(bench.events.count(|event| *event == Event::SigningFailed), 1);
    let error = || bench.shop.health().signing.unwrap().error;
    assert_eq!(error().as_deref(), Some("the vault is away"));
    assert_eq!(bench.shop.health().status.name(), "degraded");

    bench.shop.send(get()).await.unwrap();
    assert_eq!((error(), bench.shop.health().status.name()), (None, "up"));
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_panics_harms_one_call_and_one_that_hangs_is_ended_by_the_attempts_limit() {
    let panics = |_: &SigningInput| -> Result<Signed, SignError> { panic!("no key") };
    let bench = Bench::new(ok(), panics);
    let error = bench.shop.send(get()).await.unwrap_err();
    assert!(error.to_string().ends_with("the signer panicked"), "{error}");
    assert_eq!((error.delivery(), bench.provider.begun()), (Delivery::NotSent, 0));

    struct Hangs;
    impl Sign for Hangs {
        async fn sign(&self, _: &SigningInput) -> Result<Signed, SignError> {
            pending().await
        }
    }
    let bench = Bench::new(ok(), Hangs);
    let error = bench.shop.send(get()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.delivery(), bench.provider.begun()), (Delivery::NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_told_as_one_and_all_bytes_in_memory_are_known_however_many() {
    let counter = Counter::default();
    let bench = Bench::new(ok(), counter.clone());
    let stream =
        || Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("order")]));
    let large = vec![b'x'; 3 * 1024 * 1024];
    bench.shop.send(post(stream())).await.unwrap();
    bench.shop.send(post(large.clone())).await.unwrap();
    bench.shop.send(get()).await.unwrap();
    let bodies: Vec<_> = counter.inputs().into_iter().map(|input| input.body).collect();
    let whole = |bytes: Vec<u8>| SigningBody::Whole(bytes.into());
    assert!(bodies == [SigningBody::Stream, whole(large.clone()), whole(vec![])], "{bodies:?}");
    assert_eq!(bench.provider.requests()[1].body(), &large);
}

#[tokio::test(start_paused = true)]
async fn a_callers_header_of_that_name_gives_way() {
    let bench = Bench::new(ok(), Counter::default());
    let mut request = get();
    for value in ["own", "another"] {
        let value = value.parse().unwrap();
        request.headers_mut().append(HeaderName::from_static("x-signature"), value);
    }
    bench.shop.send(request).await.unwrap();
    let request = &bench.provider.requests()[0];
    let values: Vec<_> = request.headers().get_all("x-signature").iter().collect();
    assert_eq!(values, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn the_layer_signs_in_a_stack_of_ones_own() {
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let layer = layers((RetryLayer::new(), SignLayer::new(Counter::default())));
    let service = ServiceBuilder::new().layer(layer).service(provider.clone());
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
    assert_eq!(signatures(&provider), [Some("1".into()), Some("2".into())]);
}
