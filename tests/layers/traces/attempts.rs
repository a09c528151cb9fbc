use http::Request;
use outrigger::context::{Context, Scope, TraceContext};
use outrigger::correlation::CorrelationLayer;
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, Script, SeenRequest};
use outrigger::{Body, Integration};
use tower::{Layer, ServiceExt};

use super::{PARENT, TRACE, headers, parent};

fn get() -> Request<Body> {
    Request::get("http://crm.test/").body(Body::empty()).expect("a request")
}

fn sent(request: &SeenRequest) -> Option<TraceContext> {
    TraceContext::from_headers(request.headers())
}

/// What a call through the layer alone sends.
async fn through(layer: CorrelationLayer, request: Request<Body>) -> SeenRequest {
    let provider = Script::new([Answer::status(200)]);
    layer.layer(provider.clone()).oneshot(request).await.expect("an answer");
    provider.requests().remove(0)
}

#[tokio::test(start_paused = true)]
async fn every_attempt_continues_the_trace_under_a_span_of_its_own() {
    let provider = Script::new([503, 503, 200].map(Answer::status));
    let crm = Integration::background("crm")
        .retry(|retry| retry.budget(RetryBudget::unlimited()))
        .service(provider.clone())
        .build()
        .unwrap();
    let mut request = get();
    let lines = [("traceparent", PARENT), ("tracestate", "foo=1,bar=2")];
    request.extensions_mut().insert(TraceContext::from_headers(&headers(&lines)).unwrap());
    crm.send(request).await.unwrap();
    let sent: Vec<_> = provider.requests().iter().map(|seen| sent(seen).unwrap()).collect();
    assert_eq!(sent.len(), 3);
    for context in &sent {
        assert_eq!(context.trace_id().to_string(), TRACE);
        assert_eq!(context.state().unwrap(), "foo=1,bar=2");
        assert!(context.is_sampled());
    }
    let mut spans: Vec<_> = sent.iter().map(|context| context.parent_id().to_string()).collect();
    for (seen, span) in provider.requests().iter().zip(&spans) {
        let own = seen.extensions().get::<Context>().unwrap().span_id().unwrap();
        assert_eq!(own.to_string(), *span, "the context names the span that was sent");
    }
    spans.push("1234567890123456".into());
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 4, "three spans, and none of them the caller's");
}

#[tokio::test(start_paused = true)]
async fn known_flags_are_kept_and_unknown_ones_are_not_sent_on() {
    for (came, goes) in [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03")] {
        let mut request = get();
        let text = PARENT.replace("-01", &format!("-{came}"));
        request.extensions_mut().insert(parent(&text).unwrap());
        let seen = through(CorrelationLayer::new(), request).await;
        let sent = seen.headers()["traceparent"].to_str().unwrap().to_owned();
        assert!(sent.starts_with("00-") && sent.ends_with(&format!("-{goes}")), "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_belongs_to_no_trace_sends_none_unless_it_may_begin_one() {
    let seen = through(CorrelationLayer::new(), get()).await;
    assert!(!seen.headers().contains_key("traceparent"));
    let begun = through(CorrelationLayer::new().begin_traces(), get()).await;
    let begun = begun.headers()["traceparent"].to_str().unwrap().to_owned();
    assert!(parent(&begun).is_some() && begun.ends_with("-02"), "random, not sampled: {begun}");
}

#[tokio::test(start_paused = true)]
async fn the_requests_own_trace_comes_before_its_header_the_scope_and_the_rest() {
    let of = |digit: &str| PARENT.replace(TRACE, &digit.repeat(32));
    let layer = || {
        let rest = PARENT.replace(TRACE, &"4".repeat(32));
        CorrelationLayer::new().current_trace(move || parent(&rest))
    };
    let scope = || Scope::new().trace(parent(&of("3")).unwrap());
    let trace = |seen: SeenRequest| sent(&seen).unwrap().trace_id().to_string();

    let rest = through(layer(), get()).await;
    assert_eq!(trace(rest), "4".repeat(32));
    let scoped = scope().run(through(layer(), get())).await;
    assert_eq!(trace(scoped), "3".repeat(32));
    let mut by_hand = get();
    by_hand.headers_mut().insert("traceparent", of("2").parse().unwrap());
    let seen = scope().run(through(layer(), by_hand)).await;
    assert_eq!(trace(seen), "2".repeat(32));
    let mut own = get();
    own.headers_mut().insert("traceparent", of("2").parse().unwrap());
    own.extensions_mut().insert(parent(&of("1")).unwrap());
    let seen = scope().run(through(layer(), own)).await;
    assert_eq!(trace(seen), "1".repeat(32));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_trace_is_not_sent_on() {
    let broken = [("traceparent", "00-zz"), ("tracestate", "foo=1")];
    let doubled = [("traceparent", PARENT), ("traceparent", PARENT), ("tracestate", "foo=1")];
    let orphaned = [("tracestate", "foo=1")];
    for lines in [&broken[..], &doubled, &orphaned] {
        let request = || {
            let mut request = get();
            *request.headers_mut() = headers(lines);
            request
        };
        let seen = through(CorrelationLayer::new(), request()).await;
        assert!(!seen.headers().contains_key("traceparent"), "{lines:?}");
        assert!(!seen.headers().contains_key("tracestate"), "{lines:?}");
        let scope = Scope::new().trace(parent(PARENT).unwrap());
        let seen = scope.run(through(CorrelationLayer::new(), request())).await;
        assert_eq!(sent(&seen).unwrap().trace_id().to_string(), TRACE);
        assert!(!seen.headers().contains_key("tracestate"), "it is another trace's");
    }
}
