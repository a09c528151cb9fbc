//! W3C Trace Context: what is read, what is sent on, and where it comes from.

mod attempts;
mod inbound;
mod parents;
mod states;

use http::{HeaderMap, HeaderValue};
use outrigger::context::TraceContext;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
    }
    headers
}

/// What is read of one `traceparent`.
fn parent(value: &str) -> Option<TraceContext> {
    TraceContext::from_headers(&headers(&[("traceparent", value)]))
}

/// What is kept of these `tracestate` headers.
fn state(values: &[&str]) -> Option<String> {
    let lines = values.iter().map(|value| ("tracestate", *value));
    let lines: Vec<_> = [("traceparent", PARENT)].into_iter().chain(lines).collect();
    let context = TraceContext::from_headers(&headers(&lines)).expect("the parent is one");
    context.state().map(|state| state.to_str().expect("ascii").to_owned())
}

const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";
const TRACE: &str = "12345678901234567890123456789012";
