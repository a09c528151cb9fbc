//! What a scope gives to the calls inside, and what it reports of them.

use std::future::pending;
use std::time::Duration;

use futures_util::FutureExt;
use http::{Method, Request};
use outrigger::backoff::Backoff;
use outrigger::context::{BusinessKey, CorrelationId, PathTemplate, Report, Scope};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::retry::{RetryLayer, RetryOverride};
use outrigger::testing::{Answer, EventRecorder, Script, SeenRequest};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, CallOptions, Delivery, ErrorKind, IdempotencyKey, Integration};
use tower::{ServiceBuilder, ServiceExt};

use crate::call::{get, post, request};

const KEY: &str = "idempotency-key";

fn crm(script: &Script) -> Integration {
    Integration::user_flow("crm").service(script.clone()).build().unwrap()
}

fn keyed(key: &str) -> CallOptions {
    CallOptions::new().idempotency_key(key)
}

fn keys(script: &Script) -> Vec<Option<String>> {
    let key = |seen: &SeenRequest| Some(seen.headers().get(KEY)?.to_str().unwrap().to_owned());
    script.requests().iter().map(key).collect()
}

#[tokio::test(start_paused = true)]
async fn a_report_knows_the_worst_of_several_calls_where_the_last_error_does_not() {
    // What a client library with a retry loop of its own does, over a breaker that opens at once.
    let script = Script::new([Answer::hang()]);
    let crm = Integration::user_flow("crm")
        .breaker(|breaker| breaker.failures(1).no_success_for(Duration::ZERO))
        .service(script.clone())
        .build()
        .unwrap();
    let report = Report::new();
    let library = async {
        let first = crm.send(post()).await.unwrap_err();
        assert_eq!(
            (first.delivery(), report.delivery()),
            (Delivery::Unknown, Some(Delivery::Unknown))
        );
        crm.send(post()).await.unwrap_err()
    };
    let last = Scope::new().report_to(&report).run(library).await;
    assert_eq!((last.delivery(), last.attempts()), (Delivery::NotSent, 0), "{last}");
    assert_eq!((report.delivery(), report.attempts()), (Some(Delivery::Unknown), 1));
    let calls = report.calls();
    let deliveries: Vec<_> = calls.iter().map(|call| (call.delivery, call.attempts)).collect();
    assert_eq!(deliveries, [(Delivery::Unknown, 1), (Delivery::NotSent, 0)]);
    assert!(calls.iter().all(|call| call.integration.as_deref() == Some("crm")));
    assert_eq!(calls[1].call_id, last.call_id().unwrap());
    assert_eq!(script.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_attempts_statuses_and_keys() {
    let script = Script::new([Answer::status(503), Answer::status(200), Answer::status(404)]);
    let crm = crm(&script);
    let (outer, inner) = (Report::new(), Report::new());
    let work = async {
        let options = keyed("order-1042");
        let charge = async { crm.send(post()).await.unwrap() };
        Scope::new().options(options).unwrap().report_to(&inner).run(charge).await;
        crm.send(get()).await.unwrap();
    };
    Scope::new().report_to(&outer).run(work).await;
    let told = |report: &Report| -> Vec<_> {
        let calls = report.calls().into_iter();
        calls
            .map(|call| {
                let key = call.idempotency_key.map(|key| key.to_str().unwrap().to_owned());
                let status = call.status.unwrap().as_u16();
                (call.method, key, call.attempts, call.delivery, status, call.is_running)
            })
            .collect()
    };
    let key = Some("order-1042".to_owned());
    let charge = (Method::POST, key, 2, Delivery::Answered, 200, false);
    let missing = (Method::GET, None, 1, Delivery::Answered, 404, false);
    assert_eq!(told(&inner), std::slice::from_ref(&charge));
    assert_eq!(told(&outer), [charge, missing]);
    assert_eq!((outer.attempts(), outer.call_count()), (3, 2));
    assert_eq!((Report::new().delivery(), Report::new().call_count()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_or_that_is_left_may_have_happened() {
    let silent = Integration::user_flow("crm");
    for builder in [silent.clone(), silent.subscriber(EventRecorder::new())] {
        let crm = builder.service(Script::new([Answer::hang()])).build().unwrap();
        let report = Report::new();
        let mut call = Box::pin(Scope::new().report_to(&report).run(crm.send(post())));
        assert!(call.as_mut().now_or_never().is_none());
        assert!(report.calls()[0].is_running);
        assert_eq!(report.delivery(), Some(Delivery::Unknown));
        drop(call);
        assert!(!report.calls()[0].is_running);
        assert_eq!((report.delivery(), report.attempts()), (Some(Delivery::Unknown), 1));
    }
    // One that waits here for its turn was not sent.
    let crm = Integration::background("crm")
        .subscriber(EventRecorder::new())
        .bulkhead(|bulkhead| bulkhead.concurrency(1))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let mut first = Box::pin(crm.send(post()));
    assert!(first.as_mut().now_or_never().is_none());
    let report = Report::new();
    let mut second = Box::pin(Scope::new().report_to(&report).run(crm.send(post())));
    assert!(second.as_mut().now_or_never().is_none());
    drop(second);
    assert_eq!((report.delivery(), report.attempts()), (Some(Delivery::NotSent), 0));
}

#[tokio::test(start_paused = true)]
async fn a_report_of_a_long_job_keeps_sums_of_what_was_before() {
    let script = Script::by(|seen| match seen.uri().path() {
        "/lost" => Answer::broken(std::io::ErrorKind::ConnectionReset),
        _ => Answer::status(200),
    });
    let crm = crm(&script);
    let report = Report::new();
    let job = async {
        let lost = Request::post("http://crm.test/lost").body(Body::empty()).unwrap();
        crm.send(lost).await.unwrap_err();
        for _ in 0..250 {
            crm.send(get()).await.unwrap();
        }
    };
    Scope::new().report_to(&report).run(job).await;
    assert_eq!((report.calls().len(), report.call_count(), report.attempts()), (100, 251, 251));
    assert_eq!(report.delivery(), Some(Delivery::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_logical_request() {
    let script = Script::new([Answer::status(200)]);
    let crm = crm(&script);
    let to = |method: Method, path: &str, body: &'static str| {
        let uri = format!("http://crm.test{path}");
        Request::builder().method(method).uri(uri).body(Body::from(body)).unwrap()
    };
    let streamed = || {
        let parts = futures_util::stream::iter([Ok::<_, std::io::Error>("10 EUR")]);
        Request::post("http://crm.test/charges").body(Body::from_stream(parts)).unwrap()
    };
    let library = async {
        crm.send(to(Method::GET, "/token", "")).await.unwrap();
        // It only reads, as its caller says.
        let mut search = to(Method::POST, "/search", "Ada");
        search.extensions_mut().insert(RetryOverride::Safe);
        crm.send(search).await.unwrap();
        for (path, body) in [
            ("/charges", "10 EUR"),
            // Its own retry.
            ("/charges", "10 EUR"),
            // Other requests of the same operation.
            ("/charges", "20 EUR"),
            ("/receipts", "10 EUR"),
        ] {
            crm.send(to(Method::POST, path, body)).await.unwrap();
        }
        // Nobody knows what it will be: a library's own retry must not charge twice.
        crm.send(streamed()).await.unwrap();
        for (body, _) in [("10 EUR", "the same"), ("100 EUR", "another, by its length")] {
            let request = Request::post("http://crm.test/charges");
            let request =
                request.body(http_body_util::Full::new(bytes::Bytes::from(body))).unwrap();
            crm.tower().oneshot(request).await.unwrap();
        }
        let mut own = to(Method::POST, "/charges", "10 EUR");
        own.extensions_mut().insert(IdempotencyKey::new("its-own").unwrap());
        crm.send(own).await.unwrap();
    };
    Scope::new().options(keyed("order-1042")).unwrap().run(library).await;
    let key = |key: &str| Some(key.to_owned());
    let given = key("order-1042");
    let same = || given.clone();
    let by_library = [same(), None];
    let mut expected = vec![None, None, same(), same(), None, None, same()];
    expected.extend(by_library);
    expected.push(key("its-own"));
    assert_eq!(keys(&script), expected);
    // A key that a library has made itself, anew for each of its tries, gives way.
    let mut own = to(Method::POST, "/charges", "10 EUR");
    own.headers_mut().insert(KEY, "made-by-the-library".parse().unwrap());
    Scope::new().options(keyed("order-1043")).unwrap().run(crm.send(own)).await.unwrap();
    assert_eq!(keys(&script).pop().unwrap(), key("order-1043"));
}

#[tokio::test(start_paused = true)]
async fn options_of_a_scope_are_those_of_a_call() {
    let script = Script::new([Answer::status(503)]);
    let crm = crm(&script);
    let options =
        CallOptions::new().business_key("order 1042").retries(RetryOverride::Never).template("/o");
    let scope = Scope::new().options(options).unwrap();
    scope.clone().run(crm.send(get())).await.unwrap();
    assert_eq!(script.begun(), 1, "the scope forbids a retry");
    let requests = script.requests();
    let extensions = requests[0].extensions();
    assert_eq!(extensions.get(), Some(&BusinessKey::new("order 1042")));
    assert_eq!(extensions.get(), Some(&PathTemplate::new("/o")));
    // An inner scope's options, and a request's own, apply in place of it.
    let again = CallOptions::new().retries(RetryOverride::Once);
    let inner = async { Scope::new().options(again).unwrap().run(crm.send(get())).await };
    let answer = scope.clone().run(inner).await.unwrap();
    assert_eq!(script.begun(), 3, "{:?}", answer.extensions().get::<outrigger::retry::Retries>());
    let mut own = get();
    own.extensions_mut().insert(RetryOverride::Once);
    scope.run(crm.send(own)).await.unwrap();
    assert_eq!(script.begun(), 5);
    let error = Scope::new().options(keyed("")).unwrap_err();
    assert!(error.to_string().contains("key"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_made_elsewhere_is_of_the_scope_in_which_it_is_polled() {
    // Where a client library has its service in a task of its own.
    let script = Script::new([Answer::hang()]);
    let crm = crm(&script);
    let buffered = ServiceBuilder::new().buffer::<Request<Body>>(4).service(crm);
    let report = Report::new();
    let options = keyed("order-1042").deadline(Duration::from_millis(300));
    let scope = Scope::new().options(options).unwrap().report_to(&report);
    let began = tokio::time::Instant::now();
    let failed = scope.run(buffered.oneshot(post())).await.unwrap_err();
    assert!(failed.downcast_ref::<outrigger::Error>().unwrap().is_timeout(), "{failed}");
    assert_eq!(began.elapsed(), Duration::from_millis(300));
    assert_eq!(keys(&script), [Some("order-1042".to_owned())]);
    assert_eq!((report.delivery(), report.call_count()), (Some(Delivery::Unknown), 1));
    assert_eq!(report.calls()[0].idempotency_key.as_ref().unwrap(), "order-1042");
}

#[tokio::test(start_paused = true)]
async fn the_inner_of_two_scopes_counts_and_both_report() {
    let script = Script::new([Answer::status(503)]);
    let crm = crm(&script);
    let never = || CallOptions::new().retries(RetryOverride::Never);
    let (outer, inner) = (Report::new(), Report::new());
    let around = || Scope::new().options(never()).unwrap().report_to(&outer);
    let within = || {
        let once = CallOptions::new().retries(RetryOverride::Once);
        Scope::new().options(once).unwrap().report_to(&inner)
    };
    // Made outside of the inner scope, and polled inside.
    around().run(async { within().run(crm.send(get())).await }).await.unwrap();
    assert_eq!((script.begun(), outer.call_count(), inner.call_count()), (2, 1, 1));
    // Made inside of the inner scope, and polled outside.
    around().run(async { within().run_now(|| crm.send(get())).await }).await.unwrap();
    assert_eq!((script.begun(), outer.call_count(), inner.call_count()), (4, 2, 2));
    // Of two that know nothing of each other, the one in which it was made.
    let made = around().run_now(|| crm.send(get()));
    within().run(made).await.unwrap();
    assert_eq!((script.begun(), outer.call_count(), inner.call_count()), (5, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_scope_is_inside_the_one_that_it_runs_in_wherever_it_was_made() {
    let crm = crm(&Script::new([Answer::hang()]));
    let (outer, inner) = (Report::new(), Report::new());
    let around = || {
        let options = CallOptions::new().business_key("order 1042").template("/outer");
        let scope = Scope::new().options(options).unwrap().report_to(&outer);
        scope.deadline_in(Duration::from_secs(1))
    };
    let within = || {
        let options = CallOptions::new().template("/inner");
        let scope = Scope::new().options(options).unwrap().report_to(&inner);
        scope.deadline_in(Duration::from_secs(5))
    };
    let began = tokio::time::Instant::now();
    // Rust makes the inner one first.
    around().run(within().run(crm.send(post()))).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    assert_eq!((outer.call_count(), inner.call_count()), (1, 1));
    // One that was made before and kept, and at once.
    let kept = within();
    around().run(async { kept.clone().run(crm.send(post())).await }).await.unwrap_err();
    let call = around().run_now(|| kept.run_now(|| crm.send(post())));
    call.await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert_eq!((outer.call_count(), inner.call_count()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn of_two_scopes_around_it_a_scope_takes_the_facts_of_the_inner_one() {
    let id = |id: &str| CorrelationId::new(id).unwrap();
    let script = Script::new([Answer::status(200)]);
    let crm = crm(&script);
    let ask = || {
        let crm = crm.clone();
        Scope::new().run(async move { crm.send(get()).await })
    };
    let named = |name| Scope::new().correlation_id(id(name));
    // Both are made in `handler`, and one runs in the other.
    named("handler").run(async { named("job").run(ask()).await }).await.unwrap();
    // It is taken along to where others work.
    let taken = named("handler").run_now(Scope::new);
    let taken = taken.run(async { crm.send(get()).await });
    named("worker").run(taken).await.unwrap();
    named("handler").run(async { tokio::spawn(ask()).await.unwrap() }).await.unwrap();
    let ids: Vec<_> =
        script.requests().iter().map(|seen| seen.headers()["x-request-id"].clone()).collect();
    assert_eq!(ids, ["job", "handler", "handler"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_may_have_more_time_than_its_scope_gives() {
    let crm = crm(&Script::new([Answer::status(200).after(Duration::from_secs(1))]));
    let limit = CallOptions::new().deadline(Duration::from_millis(300));
    let scope = Scope::new().options(limit).unwrap();
    let error = scope.clone().run(crm.send(get())).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let own = || CallOptions::new().deadline(Duration::from_secs(3));
    scope.clone().run(crm.send_with(get(), own())).await.unwrap();
    let made = crm.send_with(get(), own());
    scope.run(made).await.unwrap();
}

#[tokio::test]
async fn a_report_knows_of_calls_whose_request_could_not_be_sent() {
    let script = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm").base_url("https://crm.test");
    let crm = crm.service(script.clone()).build().unwrap();
    let elsewhere = || Request::post("https://evil.test/").body(Body::empty()).unwrap();
    for call in [
        crm.post("https://evil.test/").send(),
        crm.put("../admin").send(),
        crm.post("orders").header("a b", "c").send(),
        crm.send(elsewhere()),
        crm.send_with(elsewhere(), keyed("")),
    ] {
        let report = Report::new();
        let scope = Scope::new().report_to(&report);
        let error = scope.run(call).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Request, 0), "{error}");
        assert_eq!(report.delivery(), Some(Delivery::NotSent), "{error}");
        assert_eq!((report.call_count(), report.attempts()), (1, 0), "{error}");
        let told = report.calls().pop().unwrap();
        assert_eq!((told.call_id, told.is_running), (error.call_id().unwrap(), false));
        assert_ne!(told.method, Method::GET);
    }
    // The one in which it was made knows of it, too; and it counts once it is polled.
    let report = Report::new();
    let call = Scope::new().report_to(&report).run_now(|| crm.get("../admin").send());
    assert_eq!(report.call_count(), 0);
    call.await.unwrap_err();
    assert_eq!((report.delivery(), report.call_count()), (Some(Delivery::NotSent), 1));
    assert_eq!(script.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_takes_back_what_its_head_said() {
    let lost = Answer::broken(std::io::ErrorKind::ConnectionReset);
    let breaks = Answer::status(200).body("a body").breaks_after(2);
    for (answers, delivery) in [
        (vec![lost.clone(), breaks.clone()], Delivery::Unknown),
        (vec![lost.clone(), Answer::status(200).body("a body")], Delivery::Answered),
        (vec![lost, Answer::status(409)], Delivery::Unknown),
        (vec![breaks], Delivery::Answered),
    ] {
        let crm = crm(&Script::new(answers.clone()));
        let report = Report::new();
        let charge = async {
            let response = crm.send(post()).await.unwrap();
            assert!(report.calls()[0].is_running || response.status() == 409);
            let read = response.into_body().bytes().await;
            read.err().map(|error| error.delivery())
        };
        let scope = Scope::new().options(keyed("order-1042")).unwrap().report_to(&report);
        let error = scope.run(charge).await;
        assert_eq!(report.delivery(), Some(delivery), "{answers:?}");
        assert!(error.is_none_or(|error| error == delivery), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_around_a_retry_that_waits_knows_of_the_lost_attempt() {
    let lost = Script::new([Answer::broken(std::io::ErrorKind::ConnectionReset)]);
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new().attempt(Duration::from_secs(1)))
        .layer(RetryLayer::new().backoff(Backoff::schedule([Duration::from_secs(60)])))
        .service(lost);
    let mut request = post();
    request.headers_mut().insert(KEY, "order-1042".parse().unwrap());
    let report = Report::new();
    let call = Scope::new().report_to(&report).run(service.oneshot(request));
    let error = call.await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((error.delivery(), report.delivery()), (Delivery::Unknown, Some(Delivery::Unknown)));
}

#[tokio::test(start_paused = true)]
async fn layers_alone_report_one_call_however_many_they_are() {
    let script = Script::new([Answer::status(503), Answer::status(200)]);
    let service = ServiceBuilder::new()
        .layer(IdempotencyLayer::new(KeyProfile::stripe()))
        .layer(RetryLayer::new().backoff(Backoff::schedule([Duration::ZERO])))
        .service(script.clone());
    let report = Report::new();
    let scope = Scope::new().options(keyed("order-1042")).unwrap().report_to(&report);
    scope.run(service.oneshot(request(Method::POST))).await.unwrap();
    let calls = report.calls();
    assert_eq!((calls.len(), calls[0].attempts, calls[0].delivery), (1, 2, Delivery::Answered));
    assert_eq!(keys(&script), vec![Some("order-1042".to_owned()); 2]);
    let elsewhere = Scope::new().run(pending::<()>()).now_or_never();
    assert!(elsewhere.is_none() && report.call_count() == 1);
}
