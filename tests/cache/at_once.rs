//! Fresh answers that are given at a call's first poll, before any of its code has run.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use outrigger::cache::{CacheOutcome, CachePartition};
use outrigger::context::{CallDeadline, CorrelationId, Report, Scope};
use outrigger::correlation::CorrelationLayer;
use outrigger::fallback::FallbackLayer;
use outrigger::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, ResponseExt};
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::origin::{RATE, ask, fresh, get, integration, is, layer, send, wait};

/// An integration that has an answer stored, and its provider.
async fn with_one_stored(text: &'static str) -> (Script, Integration) {
    let provider = Script::new([fresh(text), fresh("new")]);
    let rates = integration(layer(), &provider);
    ask(&rates).await;
    (provider, rates)
}

#[tokio::test(start_paused = true)]
async fn a_call_looks_for_its_answer_when_it_is_polled_and_does_nothing_before() {
    let (provider, rates) = with_one_stored("1.08").await;
    let hits = || rates.cache().unwrap().count(CacheOutcome::Hit);
    drop(rates.send(get(RATE)));
    assert_eq!(hits(), 0, "it was never polled");
    let early = rates.send(get(RATE));
    rates.cache().unwrap().invalidate(&RATE.parse().unwrap());
    let answer = early.await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "new");
    assert_eq!((hits(), provider.requests().len()), (0, 2));
    is(&ask(&rates).await, CacheOutcome::Hit, "new");
    assert_eq!(hits(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hit_keeps_no_place_of_the_service_below() {
    let provider = service_fn(|_: Request<Body>| async {
        let answer = Response::builder().header("cache-control", "max-age=60");
        Ok::<_, Error>(answer.body(Full::new(Bytes::from("1.08"))).unwrap())
    });
    let limited = ConcurrencyLimit::new(provider, 1);
    let mut rates = layer().layer(limited);
    let first = rates.ready().await.unwrap().call(get(RATE)).await.unwrap();
    first.into_body().collect().await.unwrap();
    wait(1).await;
    let mut another = rates.clone();
    for call_is_polled in [false, true] {
        let mut call = rates.ready().await.unwrap().call(get(RATE));
        let answer = call_is_polled.then(|| (&mut call).now_or_never().unwrap().unwrap());
        if !call_is_polled {
            drop(call);
        }
        another.ready().now_or_never().expect("the only place is free").unwrap();
        another = rates.clone();
        drop(answer);
    }
}

#[tokio::test(start_paused = true)]
async fn past_its_deadline_a_call_gets_no_stored_answer() {
    let (_, rates) = with_one_stored("1.08").await;
    let slow = rates.send(get(RATE));
    wait(9).await;
    let error = slow.await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent);
    let mut late = get(RATE);
    late.extensions_mut().insert(CallDeadline::after(Duration::ZERO));
    assert!(rates.send(late).await.is_err());
    is(&ask(&rates).await, CacheOutcome::Hit, "1.08");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_stored_answer_names_its_call() {
    let (_, rates) = with_one_stored("not JSON").await;
    let answer = rates.send(get(RATE)).await.unwrap();
    wait(2).await;
    let error = answer.json::<u32>().await.unwrap_err();
    assert_eq!((error.integration(), error.attempts()), (Some("rates"), 0));
    assert_eq!((error.delivery(), error.last_status()), (Delivery::Answered, Some(StatusCode::OK)));
    assert_eq!(error.elapsed(), Some(Duration::from_secs(2)));
    let own = error.call_id().map(|id| id.to_string());
    assert!(own.is_some());
    assert_eq!(error.correlation_id().map(|id| id.as_str().to_owned()), own);
    assert_eq!(error.host(), Some("rates.test:80"));
    // An id of the caller's is the call's.
    let mut request = get(RATE);
    request.headers_mut().insert("x-request-id", "order-1042".parse().unwrap());
    let error = rates.send(request).await.unwrap().json::<u32>().await.unwrap_err();
    assert_eq!(error.correlation_id().map(CorrelationId::as_str), Some("order-1042"));
}

#[tokio::test(start_paused = true)]
async fn a_report_knows_of_hits_wherever_the_call_is_made_or_polled() {
    let (_, rates) = with_one_stored("1.08").await;
    let report = Report::new();
    let scope = || Scope::new().report_to(&report);
    let made_outside = rates.send(get(RATE));
    scope().run(async { made_outside.await.unwrap() }).await.text().await.unwrap();
    let made_inside = scope().run_now(|| rates.send(get(RATE)));
    made_inside.await.unwrap().text().await.unwrap();
    scope().run(ask(&rates)).await;
    let calls = report.calls();
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!((call.attempts, call.delivery), (0, Delivery::Answered));
        assert_eq!((call.status, call.is_running), (Some(StatusCode::OK), false));
    }
}

#[tokio::test(start_paused = true)]
async fn an_outer_layer_knows_that_a_hit_sent_nothing() {
    let provider = Script::new([fresh("1.08")]);
    let (report, cached) = (Report::new(), layer().layer(provider));
    let service = CorrelationLayer::new().layer(cached);
    for attempts in [1, 0] {
        let call = service.clone().oneshot(get(RATE));
        let answer = Scope::new().report_to(&report).run(call).await.unwrap();
        answer.into_body().collect().await.unwrap();
        assert_eq!(report.calls().last().unwrap().attempts, attempts);
    }
}

struct Adds;

impl Pattern for Adds {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let mut running = std::pin::pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        held.answer(|head| head.headers.insert("x-seen", "1".parse().unwrap()));
        held.hand_up().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_users_pattern_around_calls_sees_each_hit() {
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .around_call(Adds)
        .service(Script::new([fresh("1.08")]))
        .build()
        .unwrap();
    for outcome in [CacheOutcome::Miss, CacheOutcome::Hit] {
        let got = send(&rates, get(RATE)).await.unwrap();
        is(&got, outcome, "1.08");
        assert_eq!(got.header("x-seen"), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_in_place_of_a_stored_failure() {
    let failure = Answer::status(404).header("cache-control", "max-age=60").body("gone");
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .fallback(FallbackLayer::value(Response::new("1.00")).when(|_| true))
        .service(Script::new([failure]))
        .build()
        .unwrap();
    for _ in 0..2 {
        let answer = rates.send(get(RATE)).await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "1.00");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_request_has_in_its_extensions_is_not_in_a_hits() {
    let (_, rates) = with_one_stored("1.08").await;
    let of_ada = || {
        let mut request = get(RATE);
        request.extensions_mut().insert(CachePartition::new("ada"));
        request
    };
    send(&rates, of_ada()).await.unwrap();
    let got = send(&rates, of_ada()).await.unwrap();
    is(&got, CacheOutcome::Hit, "new");
    assert_eq!(got.head.extensions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hit_by_vary_compares_lists_whatever_their_blanks() {
    let provider = Script::by(|_| fresh("1.08").header("vary", "accept-language"));
    let rates = integration(layer(), &provider);
    for (language, outcome) in [
        ("en, de", CacheOutcome::Miss),
        ("en, de", CacheOutcome::Hit),
        ("en,de", CacheOutcome::Hit),
        ("en ,de", CacheOutcome::Hit),
        ("de,en", CacheOutcome::Miss),
    ] {
        let mut request = get(RATE);
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        assert_eq!(send(&rates, request).await.unwrap().outcome(), outcome, "{language}");
    }
}
