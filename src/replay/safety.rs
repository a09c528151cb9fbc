use http::{Extensions, HeaderName, HeaderValue, Method, Request};

use crate::context::{Call, IdempotencyKey};

/// Overrides the retries and hedges of one request, in its extensions.
///
/// ```
/// use outrigger::retry::RetryOverride;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(RetryOverride::Never);
/// ```
///
/// A deadline of its own is a [`CallDeadline`](crate::context::CallDeadline).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryOverride {
    /// One attempt.
    Never,
    /// At most two attempts.
    Once,
    /// Safe to repeat, although its method isn't: a search by POST, for example.
    Safe,
}

/// An extension of a request that only reads, although its method doesn't say so: a layer has found that out.
/// How often it may be tried is still its caller's, or its scope's, to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnlyReads;

/// Whether the caller has set a key header. An empty key doesn't count: calls would share it.
fn has_key<B>(request: &Request<B>) -> bool {
    request.headers().get(KEY_HEADER).is_some_and(is_key)
}

/// Whether the request has a key that makes it safe to send again, because the provider honours it.
/// If no layer knows the call's key, a header that the caller has set counts.
pub(crate) fn has_honoured_key<B>(request: &Request<B>, call: &Call) -> bool {
    call.key.get().map_or_else(|| has_key(request), |key| key.honoured)
}

/// The key that the caller gave the request: in its extensions, or else in this header.
pub(crate) fn own_key<B>(request: &Request<B>, header: &HeaderName) -> Option<HeaderValue> {
    let extension = request.extensions().get::<IdempotencyKey>().cloned();
    extension.map(IdempotencyKey::into_header).or_else(|| {
        let header = request.headers().get(header);
        header.filter(|key| is_key(key)).cloned()
    })
}

/// Whether it is a key: not empty, nor an empty pair of quotes.
pub(crate) fn is_key(value: &HeaderValue) -> bool {
    value.as_bytes().iter().any(|byte| !matches!(byte, b'"' | b' ' | b'\t'))
}

/// Whether the method is safe: RFC 9110, 9.2.1, and draft-ietf-httpbis-safe-method-w-body for
/// QUERY.
pub(crate) fn is_safe(method: &Method) -> bool {
    // By name, because not every supported version of `http` has a constant for it.
    method.is_safe() || method.as_str() == "QUERY"
}

/// Whether the request changes nothing: by its method, or by what is known of it.
pub(crate) fn only_reads<B>(request: &Request<B>) -> bool {
    is_safe(request.method()) || is_known_safe(request.extensions())
}

/// Whether a request is safe to repeat, although its method isn't: by its caller's word, or because it only
/// reads.
pub(crate) fn is_known_safe(extensions: &Extensions) -> bool {
    extensions.get() == Some(&RetryOverride::Safe) || extensions.get::<OnlyReads>().is_some()
}

/// Whether sending it twice has the effect of sending it once: RFC 9110, 9.2.2.
pub(crate) fn is_idempotent(method: &Method) -> bool {
    is_safe(method) || matches!(*method, Method::PUT | Method::DELETE)
}

/// draft-ietf-httpapi-idempotency-key-header, and most providers before it.
pub(crate) const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
