//! The span of a call, from its begin to its end.

use tracing::Span;
use tracing::field::Empty;

use super::span_scope::{Parent, SpanScope, open_span, record};
use super::target::SpanName;
use crate::event::End;
use crate::telemetry::error_type::ErrorType;
use crate::terms::Delivery;

pub(super) fn begin(scope: &SpanScope<'_>) {
    let Some(key) = scope.key() else { return };
    let span = open_span!(
        scope,
        Parent::CURRENT,
        "call",
        "internal",
        scope.integration(),
        "outrigger.attempts" = Empty,
    );
    scope.open.begin_call(key, span);
}

pub(super) fn end(scope: &SpanScope<'_>, end: &End, attempts: u32) {
    let attempts = i64::from(attempts);
    let (unknown, safe) = (end.delivery() == Some(Delivery::Unknown), scope.target().is_safe());
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
