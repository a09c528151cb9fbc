//! The span of an attempt, from its begin to its end.

use http::StatusCode;
use tracing::field::Empty;
use tracing::{Level, span};

use super::call::conclude;
use super::span_scope::{Parent, SpanScope};
use super::target::{SpanName, TargetAttributes};
use crate::event::End;

pub(super) fn begin(scope: &SpanScope<'_>) {
    let Some((key, context)) = scope.key().zip(scope.context()) else { return };
    let (target, attempt, call) =
        (TargetAttributes(scope.target()), context.attempt(), Parent::of_call(scope));
    let number = i64::from(attempt);
    let span = span!(
        target: "outrigger",
        parent: call.id(),
        Level::INFO,
        "attempt",
        "otel.name" = tracing::field::display(SpanName { integration: None, target }),
        "otel.kind" = "client",
        "otel.status_code" = Empty,
        "http.request.method" = target.method(),
        "http.request.method_original" = target.method_original(),
        "http.request.resend_count" = Some(number - 1).filter(|resent| *resent > 0),
        "http.response.status_code" = Empty,
        "server.address" = target.host(),
        "server.port" = target.port(),
        "url.scheme" = target.scheme(),
        "url.template" = target.template(),
        "error.type" = Empty,
        "outrigger.integration" = scope.integration(),
        "outrigger.call_id" = scope.call_id(),
        "outrigger.correlation_id" = scope.correlation_id(),
        "outrigger.trace_id" = scope.trace_id(),
        "outrigger.span_id" = context.span_id().map(tracing::field::display),
        "outrigger.attempt" = number,
        "outrigger.end" = Empty,
        "outrigger.delivery" = Empty,
    );
    scope.open.begin_attempt(key, attempt, span);
}

pub(super) fn answered(scope: &SpanScope<'_>, status: StatusCode) {
    let span =
        scope.key().zip(scope.attempt()).and_then(|(key, number)| scope.open.attempt(key, number));
    if let Some(span) = span {
        span.record("http.response.status_code", i64::from(status.as_u16()));
    }
}

pub(super) fn end(scope: &SpanScope<'_>, end: &End) {
    let span = scope
        .key()
        .zip(scope.attempt())
        .and_then(|(key, number)| scope.open.end_attempt(key, number));
    if let Some(span) = span {
        conclude(&span, end);
    }
}
