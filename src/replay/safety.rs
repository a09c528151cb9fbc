use http::{HeaderName, HeaderValue, Method, Request};

use crate::context::{Call, IdempotencyKey};

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
fn has_key<B>(request: &Request<B>) -> bool {
    request.headers().get(KEY_HEADER).is_some_and(is_key)
}

/// Whether the request has a key that makes it safe to send again: one that somebody said the provider
/// honours. Where no layer knows the call's key, its caller's word is the header.
pub(crate) fn has_honoured_key<B>(request: &Request<B>, call: &Call) -> bool {
    call.key.get().map_or_else(|| has_key(request), |key| key.honoured)
}

/// The key that its caller gave the request: in the extensions, or else in this header.
pub(crate) fn own_key<B>(request: &Request<B>, header: &HeaderName) -> Option<HeaderValue> {
    let extension = request.extensions().get::<IdempotencyKey>().cloned();
    extension.map(IdempotencyKey::into_header).or_else(|| {
        let header = request.headers().get(header);
        header.filter(|key| is_key(key)).cloned()
    })
}

/// Whether it names anything: quotes around nothing don't.
pub(crate) fn is_key(value: &HeaderValue) -> bool {
    value.as_bytes().iter().any(|byte| !matches!(byte, b'"' | b' ' | b'\t'))
}

/// Whether it changes nothing: RFC 9110, 9.2.1, and draft-ietf-httpbis-safe-method-w-body for QUERY.
pub(crate) fn is_safe(method: &Method) -> bool {
    // By name: not every version of `http` that may be used here knows it by itself.
    method.is_safe() || method.as_str() == "QUERY"
}

/// Whether twice is as good as once: RFC 9110, 9.2.2.
pub(crate) fn is_idempotent(method: &Method) -> bool {
    is_safe(method) || matches!(*method, Method::PUT | Method::DELETE)
}

/// draft-ietf-httpapi-idempotency-key-header, and most providers before it.
pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
