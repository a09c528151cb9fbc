//! The span of a call, from its begin to its end.

use tracing::field::Empty;
use tracing::{Level, Span};

use super::open::CallSpan;
use super::span_scope::{Parent, SpanScope, open_span, record};
use super::target::SpanName;
use crate::event::End;
use crate::telemetry::error_type::ErrorType;
use crate::terms::Delivery;

pub(super) fn begin(scope: &SpanScope<'_>) {
    let Some(key) = scope.key() else { return };
    let outside = Span::current().id();
    let span = open_span!(
        scope,
        Parent::CURRENT,
        "call",
        "internal",
        scope.integration(),
        "outrigger.attempts" = Empty,
        "outrigger.cache" = Empty,
    );
    scope.open.begin_call(key, span, outside);
}

pub(super) fn end(scope: &SpanScope<'_>, end: &End, attempts: u32) {
    let attempts = i64::from(attempts);
    let (unknown, safe) = (end.delivery() == Some(Delivery::Unknown), scope.target().is_safe());
    let error = ErrorType::of(*end);
    let error = error.as_ref().map(ErrorType::as_str);
    let is_success = matches!(end, End::Answered { class, .. } if class.is_success());
    let is_warned = unknown && !safe && !is_success;
    if let (false, false, End::Failed { delivery, .. }) = (is_warned, is_success, end) {
        record!(
            scope,
            DEBUG,
            "a call failed",
            "error.type" = error,
            "outrigger.attempts" = attempts,
            "outrigger.delivery" = delivery.name(),
        );
    }
    let call = scope.key().and_then(|key| scope.open.end_call(key));
    if is_warned {
        warn(scope, call.as_ref(), error);
    }
    if let Some(CallSpan { span, .. }) = call {
        span.record("outrigger.attempts", attempts);
        if let End::Answered { status, .. } = end {
            span.record("http.response.status_code", i64::from(status.as_u16()));
        }
        conclude(&span, end);
    }
}

/// The one line of a call that may have been done, short: it stands beside the call's span, whose
/// attributes would be printed before it, and the call's id leads to them.
fn warn(scope: &SpanScope<'_>, call: Option<&CallSpan>, error: Option<&str>) {
    let outside = match call {
        Some(call) => call.outside.clone(),
        None => Span::current().id(),
    };
    tracing::event!(
        target: "outrigger",
        parent: outside,
        Level::WARN,
        {
            message = "the provider may have acted",
            "outrigger.integration" = scope.integration(),
            "error.type" = error,
            "outrigger.call_id" = scope.call_id(),
        }
    );
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
