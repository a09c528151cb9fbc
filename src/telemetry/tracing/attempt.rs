//! The span of an attempt, from its begin to its end.

use http::StatusCode;
use tracing::field::Empty;

use super::call::conclude;
use super::span_scope::{Parent, SpanScope, open_span};
use super::target::SpanName;
use crate::event::End;

pub(super) fn begin(scope: &SpanScope<'_>) {
    let Some((key, context)) = scope.key().zip(scope.context()) else { return };
    let attempt = context.attempt();
    let number = i64::from(attempt);
    let span = open_span!(
        scope,
        Parent::of_call(scope),
        "attempt",
        "client",
        None,
        "http.request.resend_count" = Some(number - 1).filter(|resent| *resent > 0),
        "outrigger.span_id" = context.span_id().map(tracing::field::display),
        "outrigger.attempt" = number,
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
