//! Spans of calls and attempts, and what is said inside them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use outrigger::context::{Scope, TraceContext};
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::Plan;
use outrigger::hedge::HedgeLayer;
use outrigger::kill_switch::SwitchFile;
use outrigger::telemetry::tracing::Spans;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration, Ratio};
use tracing::{Instrument, Level};

use crate::call::{get, keeps_secrets, post, read, request};
use crate::capture::Capture;

fn crm(answers: impl IntoIterator<Item = Answer>) -> (Integration, Arc<Spans>) {
    let spans = Arc::new(Spans::new());
    let crm = Integration::user_flow("crm").subscriber(Arc::clone(&spans));
    (crm.service(Script::new(answers)).build().unwrap(), spans)
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_span_and_its_attempt_one_inside() {
    let (told, _guard) = Capture::here();
    let (crm, spans) = crm([Answer::status(200).body("fine")]);
    let handler = tracing::info_span!("handler");
    read(crm.send(get())).instrument(handler.clone()).await.unwrap();

    let (call, attempts) = (told.call(), told.spans("attempt"));
    let of = |name| call.fields.of(name).to_owned();
    assert_eq!(call.parent, handler.id().map(|id| id.into_u64()));
    assert_eq!((call.level, of("otel.kind")), (Level::INFO, "internal".into()));
    assert_eq!(of("otel.name"), "crm GET /orders/{id}");
    assert_eq!((of("outrigger.attempts"), of("outrigger.end")), ("1".into(), "answered".into()));
    assert_eq!(of("outrigger.integration"), "crm");
    assert_eq!(of("outrigger.call_id"), of("outrigger.correlation_id"));

    assert_eq!(attempts.len(), 1);
    let of = |name| attempts[0].fields.of(name);
    assert_eq!(attempts[0].parent, Some(call.id));
    assert_eq!((of("otel.name"), of("otel.kind")), ("GET /orders/{id}", "client"));
    assert_eq!((of("http.request.method"), of("url.scheme")), ("GET", "https"));
    assert_eq!((of("server.address"), of("server.port")), ("crm.test", "443"));
    assert_eq!((of("url.template"), of("http.response.status_code")), ("/orders/{id}", "200"));
    assert_eq!((of("error.type"), of("otel.status_code")), ("", ""));
    assert_eq!(of("http.request.resend_count"), "");
    assert_eq!(of("outrigger.delivery"), "answered");

    assert!(told.told().spans.iter().filter(|span| span.name != "handler").all(|s| s.is_closed));
    assert!(told.told().events.is_empty(), "{:?}", told.told().events);
    assert_eq!(spans.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_template_the_name_is_the_method_alone() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(200)]);
    let odd = http::Request::builder().method("BREW").uri("http://[::1]:81/x");
    read(crm.send(odd.body(Body::empty()).unwrap())).await.unwrap();
    let attempts = told.spans("attempt");
    let of = |name| attempts[0].fields.of(name);
    assert_eq!((of("otel.name"), of("http.request.method")), ("HTTP", "_OTHER"));
    assert_eq!(of("http.request.method_original"), "BREW");
    assert_eq!((of("server.address"), of("server.port")), ("::1", "81"));
    assert_eq!(of("url.template"), "");
}

#[tokio::test(start_paused = true)]
async fn repeated_attempts_are_counted_and_a_cured_call_is_no_error() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(503), Answer::status(200)]);
    read(crm.send(get())).await.unwrap();
    let (call, attempts) = (told.call(), told.spans("attempt"));
    let of = |at: usize, name| attempts[at].fields.of(name);
    assert_eq!((of(0, "error.type"), of(0, "otel.status_code")), ("503", "ERROR"));
    assert_eq!(of(0, "http.request.resend_count"), "");
    assert_eq!((of(1, "error.type"), of(1, "otel.status_code")), ("", ""));
    assert_eq!(of(1, "http.request.resend_count"), "1");
    assert_eq!(call.fields.of("otel.status_code"), "");
    assert_eq!(call.fields.of("outrigger.attempts"), "2");
    assert_eq!(told.said(Level::DEBUG), ["an attempt failed, and another follows"]);
    assert_eq!(told.said(Level::WARN).len() + told.said(Level::INFO).len(), 0);
    assert_eq!(told.told().events[0].parent, Some(call.id));
    assert_eq!(told.told().events[0].target, "outrigger");
}

#[tokio::test(start_paused = true)]
async fn numbers_are_numbers_to_opentelemetry() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(503), Answer::status(200)]);
    read(crm.send(get())).await.unwrap();
    let (call, attempts) = (told.call().fields, told.spans("attempt"));
    assert_eq!(call.number("outrigger.attempts"), Some(2));
    assert_eq!(call.number("http.response.status_code"), Some(200));
    assert_eq!(call.number("server.port"), Some(443));
    let again = &attempts[1].fields;
    assert_eq!(attempts[0].fields.number("http.response.status_code"), Some(503));
    assert_eq!(again.number("http.request.resend_count"), Some(1));
    assert_eq!(again.number("outrigger.attempt"), Some(2));
    assert_eq!(again.number("server.port"), Some(443));
    let said = told.told().events[0].fields.clone();
    assert_eq!(
        (said.number("outrigger.failed"), said.number("outrigger.attempt")),
        (Some(1), Some(1))
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_of_ours_is_an_error_of_its_spans() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(404)]);
    read(crm.send(get())).await.unwrap();
    for span in told.told().spans.iter() {
        assert_eq!(span.fields.of("error.type"), "404");
        assert_eq!(span.fields.of("otel.status_code"), "ERROR");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_an_unknown_outcome_is_a_warning_unless_it_is_safe() {
    for (method, warnings) in [(Method::POST, 1), (Method::GET, 0)] {
        let (told, _guard) = Capture::here();
        let (crm, _) = crm([Answer::hang()]);
        read(crm.send(request(method))).await.unwrap_err();
        let attempts = told.spans("attempt");
        let of = |name| attempts[0].fields.of(name);
        assert_eq!((of("error.type"), of("otel.status_code")), ("attempt_timeout", "ERROR"));
        assert_eq!((of("outrigger.end"), of("outrigger.delivery")), ("failed", "unknown"));
        assert_eq!(of("http.response.status_code"), "");
        let warned = told.said(Level::WARN);
        assert_eq!(warned.len(), warnings, "{warned:?}");
        let inside = told.told().events.iter().any(|said| said.parent == Some(attempts[0].id));
        assert!(inside, "the limit that passed is said inside the attempt");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_named() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::broken(io::ErrorKind::ConnectionReset)]);
    read(crm.send(post())).await.unwrap_err();
    assert_eq!(told.spans("attempt")[0].fields.of("error.type"), "connection_reset");
    assert_eq!(told.call().fields.of("error.type"), "connection_reset");
    assert_eq!(told.call().fields.of("otel.status_code"), "ERROR");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_makes_no_error_and_a_warning_if_something_may_have_been_done() {
    for (method, warnings) in [(Method::POST, 1), (Method::GET, 0)] {
        let (told, _guard) = Capture::here();
        let (crm, spans) = crm([Answer::hang()]);
        let left = tokio::time::timeout(Duration::from_millis(10), crm.send(request(method)));
        left.await.unwrap_err();
        for span in told.told().spans.iter() {
            assert_eq!(span.fields.of("otel.status_code"), "");
            assert_eq!(span.fields.of("error.type"), "");
            assert_eq!(span.fields.of("outrigger.end"), "abandoned");
            assert_eq!(span.fields.of("outrigger.delivery"), "unknown");
            assert!(span.is_closed);
        }
        assert_eq!(told.said(Level::WARN).len(), warnings, "{:?}", told.said(Level::WARN));
        assert_eq!(spans.open(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_request_is_a_span_beside_the_first() {
    let (told, _guard) = Capture::here();
    let spans = Arc::new(Spans::new());
    let crm = Integration::user_flow("crm")
        .hedge(HedgeLayer::after(Duration::from_millis(50)))
        .subscriber(Arc::clone(&spans))
        .service(Script::new([Answer::hang(), Answer::status(200)]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    let (call, attempts) = (told.call(), told.spans("attempt"));
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt.parent == Some(call.id) && attempt.is_closed));
    assert_eq!(attempts[0].fields.of("outrigger.end"), "overtaken");
    assert_eq!(attempts[0].fields.of("otel.status_code"), "");
    assert_eq!(attempts[1].fields.of("outrigger.end"), "answered");
    assert_eq!(attempts[1].fields.of("http.request.resend_count"), "1");
    assert_eq!(call.fields.of("outrigger.attempts"), "2");
    assert_eq!(told.said(Level::DEBUG).len(), 2, "{:?}", told.said(Level::DEBUG));
    assert_eq!(spans.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_moves_a_switch_is_warned_and_its_refusals_are_not() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(200)]);
    crm.kill_switch().set(SwitchMode::Off, "ada", "moving");
    read(crm.send(get())).await.unwrap_err();
    assert_eq!(told.said(Level::WARN), ["a kill switch was moved"]);
    assert!(told.spans("attempt").is_empty());
    let call = told.call();
    assert_eq!(call.fields.of("error.type"), "switched_off");
    assert_eq!(call.fields.of("outrigger.attempts"), "0");
    assert_eq!(call.fields.of("outrigger.delivery"), "not_sent");
}

#[tokio::test(start_paused = true)]
async fn a_switch_file_that_is_not_there_yet_is_no_warning() {
    let (told, _guard) = Capture::here();
    let (crm, _) = crm([Answer::status(200)]);
    let following = crm.kill_switch().follow(SwitchFile::new("/no/such/file"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(told.said(Level::DEBUG), ["what moves a kill switch isn't there yet"]);
    assert!(told.said(Level::WARN).is_empty());
    drop(following);
    crm.kill_switch().set(SwitchMode::Off, "ada", "moving");
    let _following = crm.kill_switch().follow(SwitchFile::new("/no/such/file"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let last = told.said(Level::WARN).pop();
    assert_eq!(last.as_deref(), Some("what moves a kill switch can't be read"));
}

#[tokio::test(start_paused = true)]
async fn breakers_fallbacks_and_fault_injections_are_heard() {
    let (told, _guard) = Capture::here();
    let crm = Integration::user_flow("crm")
        .fallback(FallbackLayer::value(http::Response::new("{}")))
        .fault_injection(outrigger::fault_injection::FaultInjectionLayer::allow)
        .breaker(|breaker| {
            let row = outrigger::circuit_breaker::Consecutive::Always(1);
            breaker.consecutive(row).no_success_for(std::time::Duration::ZERO)
        })
        .subscriber(Spans::new())
        .service(Script::new([Answer::status(500)]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    let warned = told.said(Level::WARN);
    assert_eq!(warned[0], "a circuit breaker opened");
    assert!(warned.iter().any(|said| said == "a fallback answered in the provider's place"));
    assert_eq!(told.call().fields.of("otel.status_code"), "", "the caller has an answer");

    let plan = Plan::new().status(Ratio::percent(100), http::StatusCode::BAD_GATEWAY);
    crm.fault_injection().start(plan).unwrap();
    let warned = told.said(Level::WARN);
    assert!(warned.last().unwrap().starts_with("fault injection is on"), "{warned:?}");
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_is_sent_can_be_found_by_its_spans() {
    let (told, _guard) = Capture::here();
    let provider = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm").subscriber(Spans::new());
    let crm = crm.service(provider.clone()).build().unwrap();
    let trace = TraceContext::root();
    Scope::new().trace(trace.clone()).run(async { read(crm.send(get())).await }).await.unwrap();
    let attempt = &told.spans("attempt")[0].fields;
    assert_eq!(attempt.of("outrigger.trace_id"), trace.trace_id().to_string());
    let sent = provider.requests()[0].headers()["traceparent"].to_str().unwrap().to_owned();
    assert!(sent.contains(attempt.of("outrigger.span_id")), "{sent}");
    assert_eq!(attempt.of("outrigger.span_id").len(), 16);
}

#[tokio::test(start_paused = true)]
async fn nothing_stays_open_however_calls_end() {
    let (told, _guard) = Capture::here();
    let spans = Arc::new(Spans::new());
    let late = Duration::from_millis(80);
    let answers = (0..200).map(|at| match at % 5 {
        0 => Answer::status(200).body("fine").after(late),
        1 => Answer::status(503),
        2 => Answer::hang(),
        3 => Answer::broken(io::ErrorKind::ConnectionReset),
        _ => Answer::status(200).body("fine"),
    });
    let crm = Integration::user_flow("crm")
        .hedge(HedgeLayer::after(Duration::from_millis(50)))
        .subscriber(Arc::clone(&spans))
        .service(Script::new(answers))
        .without_breaker()
        .build()
        .unwrap();
    for at in 0..2_000_u64 {
        let call = tokio::time::timeout(Duration::from_millis(at % 150), crm.send(get())).await;
        match call {
            Ok(Ok(response)) if at % 3 == 0 => drop(response),
            Ok(Ok(response)) => drop(response.into_body().bytes().await),
            _ => {}
        }
    }
    drop(crm.send(get()));
    assert_eq!(spans.open(), 0);
    let told = told.told();
    assert!(told.spans.len() > 3_000, "{}", told.spans.len());
    assert!(told.spans.iter().all(|span| span.is_closed));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_paths_queries_headers_and_bodies_is_told() {
    let (told, _guard) = Capture::here();
    let answers = [Answer::status(500), Answer::hang(), Answer::broken(io::ErrorKind::TimedOut)];
    let (crm, spans) = crm(answers);
    for method in [Method::GET, Method::POST, Method::PUT] {
        let _ = read(crm.send(request(method))).await;
    }
    assert!(told.spans("attempt").len() >= 3);
    keeps_secrets(&told.text());
    keeps_secrets(&format!("{spans:?}"));
}
