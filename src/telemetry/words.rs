//! The few words by which telemetry names results, so that they can be counted and searched.

use crate::event::End;
use crate::outcome::{Class, Fault, Phase, Rejection};

/// The word for how a call or an attempt ended.
pub(super) const fn end(end: &End) -> &'static str {
    match end {
        End::Answered { .. } => "answered",
        End::Failed { .. } => "failed",
        End::Abandoned { .. } => "abandoned",
        End::Overtaken => "overtaken",
    }
}

/// The word for what failed; nothing where nothing did, or where whoever asked went away.
pub(super) const fn error(end: End) -> Option<&'static str> {
    match end {
        End::Answered { class, .. } | End::Failed { class, .. } => error_of(class),
        End::Abandoned { .. } | End::Overtaken => None,
    }
}

/// The word for what failed, of a class; nothing where nothing did.
pub(super) const fn error_of(class: Class) -> Option<&'static str> {
    Some(match class {
        Class::Success | Class::Partial => return None,
        Class::ClientError => "client_error",
        Class::Throttled => "throttled",
        Class::ServerError => "server_error",
        Class::Unauthorized => "unauthorized",
        Class::Invalid => "invalid_answer",
        Class::Timeout(phase) => timeout(phase),
        Class::Transport(fault) => transport(fault),
        Class::Rejected(why) => rejection(why),
        Class::Request => "unsendable_request",
        Class::Other => OTHER,
    })
}

const fn timeout(phase: Phase) -> &'static str {
    match phase {
        Phase::Call => "call_timeout",
        Phase::Attempt => "attempt_timeout",
        Phase::Acquire => "acquire_timeout",
        Phase::Connect => "connect_timeout",
        Phase::ResponseHead => "response_head_timeout",
        Phase::Upload => "upload_timeout",
        Phase::BodyIdle => "body_idle_timeout",
        Phase::Transport => "transport_timeout",
    }
}

const fn transport(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "name_not_resolved",
        Fault::Refused => "connection_refused",
        Fault::Connect => "connection_failed",
        Fault::Tls => "tls_failed",
        Fault::Reset => "connection_reset",
        Fault::Closed => "connection_closed",
        Fault::Protocol => "protocol_error",
        Fault::NotProcessed => "not_processed",
        Fault::GoneAway => "connection_ended",
        Fault::Body => "body_unreadable",
        Fault::Other => "transport_failed",
    }
}

const fn rejection(why: Rejection) -> &'static str {
    match why {
        Rejection::CircuitOpen => "circuit_open",
        Rejection::Full => "bulkhead_full",
        Rejection::QueueTimeout => "bulkhead_queue_timeout",
        Rejection::RateLimited => "rate_limited",
        Rejection::Stopped => "switched_off",
        Rejection::FallbackOnly => "switched_to_fallback",
        Rejection::CacheOnly => "switched_to_cache",
    }
}

/// OpenTelemetry's word for what has none.
pub(super) const OTHER: &str = "_OTHER";

/// The methods of RFC 9110, RFC 5789 and draft-ietf-httpbis-safe-method-w-body, which OpenTelemetry knows;
/// anybody can make up another.
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
pub(super) fn method(method: &http::Method) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method.as_str())
}

#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "TRACE", "CONNECT"];
