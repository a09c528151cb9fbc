//! One call of a message through its integration, and what it came to.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use super::stored::{Answer, Content};
use super::verdict::Facts;
use crate::body::{Body, read};
use crate::context::{
    BusinessKey, CallLimit, CorrelationId, IdempotencyKey, PathTemplate, Report, Scope,
    TRACEPARENT, TraceContext,
};
use crate::fallback::FellBack;
use crate::integration::Integration;
use crate::outcome::{Error, class_of_error, class_of_response, wait_of};
use crate::retry::RetryOverride;
use crate::rt::Clock;
use crate::terms::Delivery;

/// What a call came to.
#[derive(Clone)]
pub(super) struct Called {
    pub(super) facts: Facts,
    pub(super) answer: Option<Answer>,
    pub(super) request_id: Option<String>,
}

/// Sends the message's request, with its key.
pub(super) async fn send(
    integration: &Integration,
    content: &Content,
    limit: Duration,
    most: usize,
    had_unknown: bool,
    report: &Report,
) -> Called {
    let mut request = Request::new(Body::from(content.body.clone()));
    *request.method_mut() = content.method.clone();
    *request.uri_mut() = content.uri.clone();
    *request.headers_mut() = content.headers.clone();
    if let Ok(key) = IdempotencyKey::new(&content.idempotency_key) {
        request.extensions_mut().insert(key);
    }
    call(integration, content, request, limit, most, had_unknown, report).await
}

/// Asks for the result of a job that the provider accepted.
pub(super) async fn poll(
    integration: &Integration,
    content: &Content,
    uri: Uri,
    limit: Duration,
    most: usize,
    report: &Report,
) -> Called {
    let mut request = Request::new(Body::empty());
    (*request.method_mut(), *request.uri_mut()) = (Method::GET, uri);
    call(integration, content, request, limit, most, false, report).await
}

async fn call(
    integration: &Integration,
    content: &Content,
    mut request: Request<Body>,
    limit: Duration,
    most: usize,
    had_unknown: bool,
    report: &Report,
) -> Called {
    let extensions = request.extensions_mut();
    extensions.insert(CallLimit(limit));
    // The outbox tries again itself: two schedules, one inside the other, multiply.
    extensions.insert(RetryOverride::Never);
    if let Some(template) = &content.template {
        extensions.insert(PathTemplate::new(template.as_str()));
    }
    if let Some(key) = &content.dedup_key {
        extensions.insert(BusinessKey::new(key.as_str()));
    }
    let sender = integration.clone();
    let sent = scope_of(content).report_to(report).run(async move { sender.send(request).await });
    match sent.await {
        Ok(response) => answered(integration, response, most, had_unknown).await,
        Err(error) => failed(integration, &error, had_unknown),
    }
}

/// The correlation id and the trace in which the message was enqueued.
fn scope_of(content: &Content) -> Scope {
    let mut scope = Scope::new();
    let id = content.correlation_id.as_ref().map(CorrelationId::new);
    if let Some(Ok(id)) = id {
        scope = scope.correlation_id(id);
    }
    let mut headers = HeaderMap::new();
    if let Some(Ok(parent)) = content.traceparent.as_ref().map(|parent| parent.parse()) {
        headers.insert(TRACEPARENT, parent);
    }
    match TraceContext::from_headers(&headers) {
        Some(trace) => scope.trace(trace),
        None => scope,
    }
}

async fn answered(
    integration: &Integration,
    mut response: Response<Body>,
    most: usize,
    had_unknown: bool,
) -> Called {
    let by = integration.classifier();
    let status = response.status();
    let class = class_of_response(by, &mut response);
    let (mut parts, body) = response.into_parts();
    let wait = wait_of(by, class, &parts.headers, &mut parts.extensions, &Clock::system());
    let mut facts =
        Facts { class, status: Some(status), delivery: Delivery::Answered, wait, had_unknown };
    if let Some(FellBack { class, status, delivery, .. }) = parts.extensions.get().copied() {
        // It is an answer of the host's: the provider has not done anything by it.
        facts = Facts { class, status, delivery, ..facts };
        return Called { facts, answer: None, request_id: None };
    }
    let request_id = request_id(&parts.headers);
    let body = match most {
        0 => Bytes::new(),
        most => read_up_to(body, most).await,
    };
    let answer = Answer { status: status.as_u16(), headers: parts.headers, body, sealed_by: None };
    Called { facts, answer: Some(answer), request_id }
}

fn failed(integration: &Integration, error: &Error, had_unknown: bool) -> Called {
    let facts = Facts {
        class: class_of_error(integration.classifier(), error),
        status: error.last_status(),
        delivery: error.delivery(),
        wait: error.retry_after(),
        had_unknown,
    };
    Called { facts, answer: None, request_id: None }
}

/// The first bytes of a body. If it breaks off, what arrived: the head has told what happened.
async fn read_up_to(body: Body, most: usize) -> Bytes {
    let mut kept = BytesMut::new();
    let _ = read(body, |frame| {
        let data = frame.map_err(drop)?.into_data().unwrap_or_default();
        let room = most - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if kept.len() < most { Ok(()) } else { Err(()) }
    })
    .await;
    kept.freeze()
}

/// The provider's own id for the request, in one of the usual headers.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let known = REQUEST_IDS.iter().find_map(|name| headers.get(*name))?;
    let text = known.to_str().ok()?;
    (text.len() <= 200).then(|| text.to_owned())
}

impl Called {
    pub(super) fn status(&self) -> Option<StatusCode> {
        self.facts.status
    }
}

const REQUEST_IDS: [&str; 7] = [
    "request-id",
    "x-request-id",
    "x-amzn-requestid",
    "x-ms-request-id",
    "x-github-request-id",
    "paypal-debug-id",
    "cf-ray",
];
