use http::Request;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use outrigger::Integration;
use outrigger::context::TraceContext;
use outrigger::telemetry::current_trace;
use outrigger::testing::{Answer, Script};

#[tokio::test(start_paused = true)]
async fn a_call_continues_the_span_that_is_current_in_opentelemetry() {
    let provider = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm")
        .correlation(|correlation| correlation.current_trace(current_trace))
        .service(provider.clone())
        .build()
        .unwrap();
    let span = SpanContext::new(
        TraceId::from_bytes([0x12; 16]),
        SpanId::from_bytes([0x34; 8]),
        TraceFlags::new(0x03),
        true,
        TraceState::from_key_value([("congo", "t61")]).unwrap(),
    );
    let call = {
        let _current = Context::new().with_remote_span_context(span).attach();
        crm.send(Request::get("http://crm.test/").body(()).unwrap())
    };
    call.await.unwrap();
    let headers = provider.requests()[0].headers().clone();
    assert!(headers["traceparent"].to_str().unwrap().ends_with("-03"), "sampled, and random");
    let sent = TraceContext::from_headers(&headers).unwrap();
    assert_eq!(sent.trace_id().to_bytes(), [0x12; 16]);
    assert_ne!(sent.parent_id().to_bytes(), [0x34; 8], "a span of its own");
    assert_eq!((sent.is_sampled(), sent.state().unwrap().to_str().unwrap()), (true, "congo=t61"));

    crm.send(Request::get("http://crm.test/").body(()).unwrap()).await.unwrap();
    let sent = TraceContext::from_headers(provider.requests()[1].headers());
    assert_eq!(sent, None, "no span is current: there is nothing to continue");
}
