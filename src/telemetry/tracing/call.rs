//! The span of a call, from its begin to its end.

use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::span_scope::{SpanScope, record};
use super::target::{SpanName, TargetAttributes};
use crate::event::End;
use crate::telemetry::error_type::ErrorType;
use crate::terms::Delivery;

pub(super) fn begin(scope: &SpanScope<'_>) {
    let Some(key) = scope.key() else { return };
    let target = TargetAttributes(scope.target());
    let span = span!(
        target: "outrigger",
        Level::INFO,
        "call",
        "otel.name" = tracing::field::display(SpanName { integration: scope.integration(), target }),
        "otel.kind" = "internal",
        "otel.status_code" = Empty,
        "http.request.method" = target.method(),
        "http.request.method_original" = target.method_original(),
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
        "outrigger.attempts" = Empty,
        "outrigger.end" = Empty,
        "outrigger.delivery" = Empty,
    );
    scope.open.begin_call(key, span);
}

pub(super) fn end(scope: &SpanScope<'_>, end: &End, attempts: u32) {
    let attempts = i64::from(attempts);
    let (unknown, safe) =
        (end.delivery() == Some(Delivery::Unknown), TargetAttributes(scope.target()).is_safe());
    let error = ErrorType::of(*end);
    let error = error.as_ref().map(ErrorType::as_str);
    match *end {
        // The layer that gave this answer has already recorded why.
        End::Answered { class, .. } if class.is_success() => {}
        _ if unknown && !safe => record!(
            scope,
            WARN,
            "the provider may have acted, and no answer says so",
            "error.type" = error,
            "outrigger.attempts" = attempts,
        ),
        End::Failed { delivery, .. } => record!(
            scope,
            DEBUG,
            "a call failed",
            "error.type" = error,
            "outrigger.attempts" = attempts,
            "outrigger.delivery" = delivery.name(),
        ),
        _ => {}
    }
    if let Some(span) = scope.key().and_then(|key| scope.open.end_call(key)) {
        span.record("outrigger.attempts", attempts);
        if let End::Answered { status, .. } = end {
            span.record("http.response.status_code", i64::from(status.as_u16()));
        }
        conclude(&span, end);
    }
}

/// Records the end on the span of a call or an attempt.
pub(super) fn conclude(span: &Span, end: &End) {
    span.record("outrigger.end", end.name());
    if let Some(delivery) = end.delivery() {
        span.record("outrigger.delivery", delivery.name());
    }
    if let Some(error) = ErrorType::of(*end) {
        span.record("error.type", error.as_str());
        span.record("otel.status_code", "ERROR");
    }
}
