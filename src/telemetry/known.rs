//! What OpenTelemetry has a word for, and its word for all else: so there are few.

use http::Method;

/// OpenTelemetry's word for what has none.
pub(super) const OTHER: &str = "_OTHER";

/// The methods of RFC 9110, RFC 5789 and draft-ietf-httpbis-safe-method-w-body, which OpenTelemetry knows;
/// anybody can make up another.
pub(super) fn method(method: &Method) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method.as_str())
}

const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "TRACE", "CONNECT"];
