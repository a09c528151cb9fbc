use http::{Request, Response};
use outrigger::context::{Scope, TraceContext};
use outrigger::correlation::InboundLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};
use tower::{Layer, ServiceExt, service_fn};

use super::{PARENT, TRACE};

/// A handler that calls a provider, and what the provider was sent.
async fn handled(request: Request<Body>) -> (Response<Body>, http::HeaderMap) {
    let provider = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm").service(provider.clone()).build().unwrap();
    let handler = service_fn(move |_: Request<Body>| {
        let crm = crm.clone();
        async move { crm.send(Request::get("http://crm.test/").body(()).unwrap()).await }
    });
    let response = InboundLayer::new().layer(handler).oneshot(request).await.unwrap();
    (response, provider.requests().remove(0).headers().clone())
}

fn inbound(lines: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    request.headers_mut().extend(super::headers(lines));
    request
}

#[tokio::test(start_paused = true)]
async fn what_a_request_brings_goes_on_with_the_calls_and_back_with_the_response() {
    let lines = [("traceparent", PARENT), ("x-request-id", "order-1042")];
    let (response, sent) = handled(inbound(&lines)).await;
    let trace = TraceContext::from_headers(&sent).unwrap();
    assert_eq!(trace.trace_id().to_string(), TRACE);
    assert_ne!(trace.parent_id().to_string(), "1234567890123456");
    assert_eq!(sent["x-request-id"], "order-1042");
    assert_eq!(response.headers()["x-request-id"], "order-1042");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_brings_nothing_begins_a_trace_whose_id_is_its_own() {
    let (response, sent) = handled(inbound(&[])).await;
    let trace = TraceContext::from_headers(&sent).unwrap().trace_id().to_string();
    assert_eq!(response.headers()["x-request-id"], trace.as_str());
    assert_eq!(sent["x-request-id"], trace.as_str());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_fit_to_be_an_id_is_not_taken_over() {
    let lines =
        [("traceparent", "00-zz"), ("x-request-id", "a b\"<script>"), ("tracestate", "foo=1")];
    let (response, sent) = handled(inbound(&lines)).await;
    let trace = TraceContext::from_headers(&sent).unwrap();
    assert_eq!((trace.state(), sent.get("tracestate")), (None, None));
    assert_eq!(response.headers()["x-request-id"], trace.trace_id().to_string().as_str());
}

#[tokio::test(start_paused = true)]
async fn an_unfit_id_hides_no_fit_one() {
    let lines = [("x-request-id", "a b\"<script>"), ("x-correlation-id", "order-7")];
    let (response, sent) = handled(inbound(&lines)).await;
    assert_eq!(response.headers()["x-request-id"], "order-7");
    assert_eq!(sent["x-request-id"], "order-7");
}

#[tokio::test(start_paused = true)]
async fn another_services_name_for_the_id_is_known() {
    let (response, sent) = handled(inbound(&[("x-correlation-id", "order-7")])).await;
    assert_eq!(
        (&sent["x-request-id"], &response.headers()["x-request-id"]),
        (&"order-7".parse().unwrap(), &"order-7".parse().unwrap())
    );
}

#[tokio::test(start_paused = true)]
async fn one_call_in_a_handler_does_the_same_without_the_layer() {
    let provider = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm").service(provider.clone()).build().unwrap();
    let scope = || Scope::inbound(&super::headers(&[("traceparent", PARENT)]));
    let request = || Request::get("http://crm.test/").body(()).unwrap();
    // A call that is made before the scope runs is first polled in it.
    scope().run(crm.send(request())).await.unwrap();
    scope().run(async { crm.send(request()).await }).await.unwrap();
    for sent in provider.requests() {
        let sent = TraceContext::from_headers(sent.headers()).unwrap();
        assert_eq!(sent.trace_id().to_string(), TRACE);
    }
}
