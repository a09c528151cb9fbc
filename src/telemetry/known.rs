//! Known values of OpenTelemetry's attributes, and `_OTHER` for all others, so that there are few.

use http::Method;

/// OpenTelemetry's word for values that it doesn't know.
pub(super) const OTHER: &str = "_OTHER";

/// The methods that OpenTelemetry knows, of RFC 9110, RFC 5789 and
/// draft-ietf-httpbis-safe-method-w-body. Anybody can invent others.
pub(super) fn method(method: &Method) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method.as_str())
}

const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "TRACE", "CONNECT"];
