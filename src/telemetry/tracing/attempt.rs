//! The span of an attempt, from its begin to its end.

use http::StatusCode;
use tracing::field::Empty;
use tracing::{Level, span};

use super::at::{At, Parent};
use super::call::conclude;
use super::target::{Asked, Name};
use crate::event::End;

pub(super) fn begin(at: &At<'_>) {
    let Some((key, context)) = at.key().zip(at.context()) else { return };
    let (asked, attempt, call) = (Asked(at.target()), context.attempt(), Parent::of_call(at));
    let number = i64::from(attempt);
    let span = span!(
        target: "outrigger",
        parent: call.id(),
        Level::INFO,
        "attempt",
        "otel.name" = tracing::field::display(Name { integration: None, asked }),
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "http.request.method" = asked.method(),
        "http.request.method_original" = asked.method_original(),
        "http.request.resend_count" = Some(number - 1).filter(|resent| *resent > 0),
        "http.response.status_code" = Empty,
        "server.address" = asked.host(),
        "server.port" = asked.port(),
        "url.scheme" = asked.scheme(),
        "url.template" = asked.template(),
        "error.type" = Empty,
        "outrigger.integration" = at.integration(),
        "outrigger.call_id" = at.call_id(),
        "outrigger.correlation_id" = at.correlation_id(),
        "outrigger.trace_id" = at.trace_id(),
        "outrigger.span_id" = context.span_id().map(tracing::field::display),
        "outrigger.attempt" = number,
        "outrigger.end" = Empty,
        "outrigger.delivery" = Empty,
    );
    at.open.begin_attempt(key, attempt, span);
}

pub(super) fn answered(at: &At<'_>, status: StatusCode) {
    let span = at.key().zip(at.attempt()).and_then(|(key, number)| at.open.attempt(key, number));
    if let Some(span) = span {
        span.record("http.response.status_code", i64::from(status.as_u16()));
    }
}

pub(super) fn end(at: &At<'_>, end: &End) {
    let span =
        at.key().zip(at.attempt()).and_then(|(key, number)| at.open.end_attempt(key, number));
    if let Some(span) = span {
        conclude(&span, end);
    }
}
