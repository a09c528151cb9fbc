use http::{HeaderName, Method, Request};

/// Steers the retries and hedges of one request, in its extensions.
///
/// ```
/// use outrigger::retry::Steer;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(Steer::Never);
/// ```
///
/// A deadline of its own is a [`CallDeadline`](crate::context::CallDeadline).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Steer {
    /// One attempt.
    Never,
    /// At most two attempts.
    Once,
    /// Safe to repeat, although its method isn't: a search by POST, for example.
    Safe,
}

/// Whether the request has a key that its caller put there by hand. An empty key is none: every such
/// call would have the same.
pub(crate) fn has_key<B>(request: &Request<B>) -> bool {
    request.headers().get(KEY_HEADER).is_some_and(|key| !key.is_empty())
}

/// RFC 9110, 9.2.2.
pub(crate) fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    )
}

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
