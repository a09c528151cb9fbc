//! What is known of a call: at the transport, in events and on errors.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};

use http::Method;
use http_body_util::BodyExt;
use outrigger::context::{CallId, Context, CorrelationId, Scope};
use outrigger::event::{Emitter, Event, Origin, Subscriber};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::observe::ObserveLayer;
use outrigger::outcome::{Fault, GaveUp, Rejection};
use outrigger::testing::{Answer, Script, SeenRequest};
use outrigger::{Body, Delivery, ErrorKind, IdempotencyKey, Integration};
use tower::{ServiceBuilder, ServiceExt};

use crate::call::{failure, get, millis, post, read, request, seconds};

/// What the caller puts on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tenant(u32);

/// Who each event was of.
#[derive(Clone, Default)]
struct Origins(Arc<Mutex<Vec<Told>>>);

#[derive(Clone, Debug)]
struct Told {
    integration: Option<String>,
    call: Option<CallId>,
    correlation: Option<CorrelationId>,
}

impl Subscriber for Origins {
    fn on_event(&self, _: &Event, origin: &Origin<'_>) {
        let told = Told {
            integration: origin.integration().map(Into::into),
            call: origin.context().map(Context::call_id),
            correlation: origin.context().and_then(|context| context.correlation_id().cloned()),
        };
        self.0.lock().expect("nobody panicked").push(told);
    }
}

fn context(request: &SeenRequest) -> &Context {
    request.extensions().get().expect("a context")
}

/// What is printed of what a call asks.
#[derive(Clone, Default)]
struct Targets(Arc<Mutex<Vec<String>>>);

impl Subscriber for Targets {
    fn on_event(&self, _: &Event, origin: &Origin<'_>) {
        let target = origin.context().and_then(Context::target);
        let told = target.map(|target| format!("{target:?} {:?}", target.host()));
        self.0.lock().expect("nobody panicked").extend(told);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_in_a_uri_are_no_part_of_what_a_call_asks() {
    for (uri, host) in [
        ("https://ada:SECRET@crm.test:81/", "\"crm.test\""),
        ("https://SECRET@[::1]:81/", "\"[::1]\""),
        ("https://crm.test/", "\"crm.test\""),
    ] {
        let targets = Targets::default();
        let crm = ServiceBuilder::new()
            .layer(ObserveLayer::call(Emitter::new().with(targets.clone())))
            .service(Script::new([Answer::status(200)]));
        let mut request = get();
        *request.uri_mut() = uri.parse().unwrap();
        let response = crm.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
        let told = targets.0.lock().unwrap();
        assert!(!told.is_empty());
        for told in told.iter() {
            assert!(!told.contains("SECRET") && told.contains(host), "{told}");
        }
    }
}

#[tokio::test]
async fn credentials_in_a_uri_are_refused_whatever_the_client_does_with_them() {
    let provider = Script::new([Answer::status(200)]);
    let plain = Integration::user_flow("crm").service(provider.clone()).build().unwrap();
    let based = Integration::user_flow("crm").base_url("https://crm.test");
    let based = based.service(provider.clone()).build().unwrap();
    for crm in [plain, based] {
        let error = crm.get("https://ada:SECRET@crm.test/x").send().await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
        let text = error.to_string();
        assert!(text.contains("give it an authorization header") && !text.contains("SECRET"));
    }
    assert_eq!(provider.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_transport_sees_the_facts_of_the_call() {
    let provider = Script::new([Answer::status(500), Answer::status(500), Answer::status(200)]);
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let crm = Integration::background("crm").idempotency(stripe).service(provider.clone());
    let began = tokio::time::Instant::now().into_std();
    read(crm.build().unwrap().send(post())).await.unwrap();
    let requests = provider.requests();
    let numbers: Vec<_> = requests.iter().map(|sent| context(sent).attempt()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let ids: HashSet<_> = requests.iter().map(|sent| context(sent).call_id()).collect();
    assert_eq!(ids.len(), 1);
    for sent in &requests {
        let facts = context(sent);
        assert_eq!(facts.integration(), Some("crm"));
        assert_eq!(facts.deadline(), Some(began + seconds(3_600)));
        assert_eq!(facts.started(), began);
        let id = facts.correlation_id().unwrap();
        assert_eq!(sent.headers()["x-request-id"], id.as_str());
        assert_eq!(Some(&sent.headers()["idempotency-key"]), facts.idempotency_key());
    }
}

#[tokio::test(start_paused = true)]
async fn two_calls_have_two_ids() {
    let provider = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm").service(provider.clone());
    let crm = crm.build().unwrap();
    for _ in 0..10 {
        read(crm.send(get())).await.unwrap();
    }
    let requests = provider.requests();
    let ids: HashSet<_> = requests.iter().map(|sent| context(sent).call_id()).collect();
    assert_eq!(ids.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_keeps_what_the_caller_put_on_the_request() {
    let provider = Script::new([Answer::status(500), Answer::status(200)]);
    let crm = Integration::user_flow("crm").service(provider.clone());
    let mut sent = request(Method::PUT).map(|_| Body::from("amount=1"));
    sent.extensions_mut().insert(Tenant(7));
    sent.headers_mut().append("x-own", "one".parse().unwrap());
    sent.headers_mut().append("x-own", "two".parse().unwrap());
    read(crm.build().unwrap().send(sent)).await.unwrap();
    assert_eq!(provider.begun(), 2);
    for seen in provider.requests() {
        assert_eq!(seen.extensions().get(), Some(&Tenant(7)));
        let own: Vec<_> = seen.headers().get_all("x-own").iter().collect();
        assert_eq!(own, ["one", "two"]);
        assert_eq!((seen.method(), seen.body().as_ref()), (&Method::PUT, &b"amount=1"[..]));
        assert_eq!(seen.uri(), "http://crm.test/orders");
    }
}

#[tokio::test(start_paused = true)]
async fn one_correlation_id_is_on_attempts_events_and_the_error() {
    let told = Origins::default();
    let provider = Script::new([Answer::broken(io::ErrorKind::ConnectionReset)]);
    let crm = Integration::user_flow("crm").subscriber(told.clone());
    let crm = crm.service(provider.clone()).build().unwrap();
    let id = CorrelationId::new("order-1042").unwrap();
    let scope = Scope::new().correlation_id(id.clone());
    let (error, _) = scope.run(async { failure(crm.send(get())).await }).await;

    assert_eq!(error.correlation_id(), Some(&id));
    assert_eq!(provider.begun(), 2);
    for sent in provider.requests() {
        assert_eq!(sent.headers()["x-request-id"], "order-1042");
    }
    let told = told.0.lock().unwrap();
    assert!(told.len() >= 6, "{told:?}");
    for told in told.iter() {
        assert_eq!(told.integration.as_deref(), Some("crm"));
        assert_eq!(told.correlation.as_ref(), Some(&id));
        assert_eq!(told.call, error.call_id());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_answers_every_question() {
    let provider = Script::new([
        Answer::status(503).after(millis(100)),
        Answer::broken(io::ErrorKind::ConnectionReset).after(millis(100)),
    ]);
    let crm = Integration::user_flow("crm").service(provider.clone());
    let mut sent = post();
    let key = IdempotencyKey::new("order-1042-charge").unwrap();
    sent.extensions_mut().insert(key);
    let (error, took) = failure(crm.build().unwrap().send(sent)).await;

    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.attempts(), 2);
    assert_eq!(error.elapsed(), Some(took));
    assert_eq!(error.gave_up(), Some(GaveUp::Attempts));
    assert_eq!(error.retry_after(), None);
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(503));
    assert_eq!(error.integration(), Some("crm"));
    let requests = provider.requests();
    let facts = context(&requests[1]);
    assert_eq!(error.call_id(), Some(facts.call_id()));
    assert_eq!(error.correlation_id(), facts.correlation_id());
    assert_eq!(error.idempotency_key().unwrap(), "order-1042-charge");
    let source = std::error::Error::source(&error).unwrap();
    let io = source.downcast_ref::<io::Error>().unwrap();
    assert_eq!(io.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn a_rejections_error_answers_every_question() {
    let crm = Integration::user_flow("crm")
        .breaker(|breaker| {
            let once = outrigger::circuit_breaker::Consecutive::Always(1);
            let now = breaker.consecutive(once).no_success_for(seconds(0));
            now.open_for(seconds(5), seconds(5))
        })
        .without_retry()
        .service(Script::new([Answer::status(500)]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!(error.elapsed(), Some(took));
    let back = error.retry_after().unwrap();
    assert!((seconds(4)..=seconds(5)).contains(&back), "{back:?}");
    assert_eq!(error.integration(), Some("crm"));
    assert!(error.call_id().is_some() && error.correlation_id().is_some());
    assert_eq!((error.last_status(), error.idempotency_key()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_answers_every_question() {
    use crate::provider::{Provider, Reply};
    let silent = Provider::new([Reply::status(206).frames(1, seconds(5))]);
    let crm = Integration::user_flow("crm").service(silent).build().unwrap();
    let response = crm.send(get()).await.unwrap();
    let error = response.into_body().bytes().await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Answered);
    assert_eq!((error.attempts(), error.elapsed()), (1, Some(seconds(3))));
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(206));
    assert_eq!(error.integration(), Some("crm"));
    assert!(error.call_id().is_some() && error.correlation_id().is_some());
}
