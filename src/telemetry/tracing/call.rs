//! The span of a call, from its begin to its end.

use http::StatusCode;
use tracing::field::Empty;
use tracing::{Level, Span, span};

use super::at::{At, record};
use super::target::{Asked, Name};
use crate::error::Delivery;
use crate::event::End;
use crate::telemetry::words;

pub(super) fn begin(at: &At<'_>) {
    let Some(key) = at.key() else { return };
    let asked = Asked(at.target());
    let span = span!(
        target: "outrigger",
        Level::INFO,
        "call",
        "otel.name" = tracing::field::display(Name { integration: at.integration(), asked }),
        "otel.kind" = "internal",
        "otel.status_code" = Empty,
        "http.request.method" = asked.method(),
        "http.request.method_original" = asked.method_original(),
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
        "outrigger.attempts" = Empty,
        "outrigger.end" = Empty,
        "outrigger.delivery" = Empty,
    );
    at.open.begin_call(key, span);
}

pub(super) fn end(at: &At<'_>, end: &End, attempts: u32) {
    let attempts = i64::from(attempts);
    let (unknown, safe) = (end.delivery() == Some(Delivery::Unknown), Asked(at.target()).is_safe());
    match *end {
        // Whoever gave this answer has told what it stands for.
        End::Answered { class, .. } if class.is_success() => {}
        End::Answered { class, .. } | End::Failed { class, .. } if unknown && !safe => {
            doubtful(at, words::error_type(class), attempts);
        }
        End::Abandoned { .. } if unknown && !safe => doubtful(at, None, attempts),
        End::Failed { class, delivery } => record!(
            at,
            DEBUG,
            "a call failed",
            "error.type" = words::error_type(class),
            "outrigger.attempts" = attempts,
            "outrigger.delivery" = delivery.name(),
        ),
        _ => {}
    }
    if let Some(span) = at.key().and_then(|key| at.open.end_call(key)) {
        span.record("outrigger.attempts", attempts);
        if let End::Answered { status, .. } = end {
            span.record("http.response.status_code", i64::from(status.as_u16()));
        }
        conclude(&span, end);
    }
}

fn doubtful(at: &At<'_>, error: Option<&str>, attempts: i64) {
    record!(
        at,
        WARN,
        "the provider may have acted, and no answer says so",
        "error.type" = error,
        "outrigger.attempts" = attempts,
    );
}

/// What the spans of calls and attempts both say of their end.
pub(super) fn conclude(span: &Span, end: &End) {
    span.record("outrigger.end", words::end(end));
    if let Some(delivery) = end.delivery() {
        span.record("outrigger.delivery", delivery.name());
    }
    let class = match *end {
        End::Answered { class, status, .. } => {
            if is_error(status) {
                span.record("error.type", status.as_str());
                span.record("otel.status_code", "ERROR");
                return;
            }
            class
        }
        End::Failed { class, .. } => class,
        // Whoever goes away makes no error.
        End::Abandoned { .. } | End::Overtaken => return,
    };
    if let Some(word) = words::error_type(class) {
        span.record("error.type", word);
        span.record("otel.status_code", "ERROR");
    }
}

fn is_error(status: StatusCode) -> bool {
    status.as_u16() >= 400
}
