//! What gRPC's statuses mean, and which one an error of ours is.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::outcome::{
    Class, Classify, Error, ErrorKind, Fault, HttpClassifier, LimitHeader, Rejection, ResponseHead,
};

/// Reads `grpc-status` from heads. An answer that isn't gRPC, as of a proxy in between, is read by its HTTP
/// status.
///
/// For layers that are put together by hand; an integration takes
/// [`grpc`](crate::IntegrationBuilder::grpc), which reads trailers, too.
#[derive(Clone, Debug)]
pub struct GrpcClassifier(HttpClassifier);

impl GrpcClassifier {
    /// The classifier.
    #[must_use]
    pub fn new() -> Self {
        Self(HttpClassifier::new().limit_header(PUSHBACK, LimitHeader::WaitMillis))
    }
}

impl Default for GrpcClassifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Classify for GrpcClassifier {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        let of_grpc = is_grpc(head.headers).then(|| class_in(head.headers)).flatten();
        of_grpc.unwrap_or_else(|| self.0.response(head))
    }

    fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        self.0.limit_headers()
    }
}

/// Whether it is the head of a gRPC answer (`application/grpc`, `application/grpc+proto`).
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    // Not gRPC-Web, whose trailers are a part of the body.
    let rest = kind.and_then(|kind| kind.strip_prefix(MEDIA_TYPE.as_bytes()));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The class by the status in these headers or trailers, if there is one.
pub(super) fn class_in(headers: &HeaderMap) -> Option<Class> {
    let status = headers.get(STATUS)?;
    let code = status.to_str().ok().and_then(|code| code.trim().parse::<u8>().ok());
    Some(match code {
        Some(OK) => Class::Success,
        Some(RESOURCE_EXHAUSTED) => Class::Throttled,
        Some(UNAUTHENTICATED) => Class::Unauthorized,
        // A caller's mistake, or a state of things that a repeat doesn't change.
        Some(1 | 3 | 5 | 6 | 7 | 9 | 10 | 11 | 12) => Class::ClientError,
        _ => Class::ServerError,
    })
}

/// Whether the status in these headers or trailers says that the credentials were refused.
pub(super) fn is_unauthenticated(headers: &HeaderMap) -> bool {
    class_in(headers) == Some(Class::Unauthorized)
}

/// The code that a gRPC client gives to such an error.
pub(super) fn code_of(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Timeout(_) => DEADLINE_EXCEEDED,
        ErrorKind::Rejected(Rejection::Full | Rejection::QueueTimeout | Rejection::RateLimited)
        | ErrorKind::TooLarge => RESOURCE_EXHAUSTED,
        ErrorKind::Transport(Fault::Body) => INTERNAL,
        ErrorKind::Transport(_) | ErrorKind::Rejected(_) => UNAVAILABLE,
        ErrorKind::Request | ErrorKind::Invalid => INTERNAL,
        ErrorKind::Status(_) | ErrorKind::Other => UNKNOWN,
    }
}

/// The code that a gRPC client gives to an answer that isn't gRPC (grpc/grpc, `doc/http-grpc-status-mapping.md`).
pub(super) fn code_of_http(status: StatusCode) -> u16 {
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
    .into()
}

/// The media type of gRPC.
pub(super) const MEDIA_TYPE: &str = "application/grpc";
pub(super) const STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

const OK: u8 = 0;
pub(super) const UNKNOWN: u8 = 2;
const DEADLINE_EXCEEDED: u8 = 4;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;
