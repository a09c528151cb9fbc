use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Request};
use http_body::Body;

/// Writes the key where the provider looks for it.
///
/// Implemented by every function of that form, for keys that are a field of the body. If a function
/// changes the body's length, the request's `content-length` follows: it is corrected, or removed if
/// the new length isn't known. Other implementations must do that themselves.
///
/// ```
/// use http::{HeaderValue, Request};
/// use outrigger::Body;
/// use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
///
/// // A provider that looks for the key in the query, which its calls have none of otherwise.
/// let in_query = |mut request: Request<Body>, key: &HeaderValue| {
///     let key = key.to_str().unwrap_or_default();
///     let uri = format!("{}?key={key}", request.uri());
///     if let Ok(uri) = uri.parse() {
///         *request.uri_mut() = uri;
///     }
///     request
/// };
/// let layer = IdempotencyLayer::new(KeyProfile::ietf().honours_keys()).write_with(in_query);
/// layer.check()?;
/// # Ok::<(), outrigger::ConfigError>(())
/// ```
pub trait WriteKey<B> {
    /// Writes `key` into `request`. A key that [counts](super) makes the request safe to repeat, so it
    /// must be written into every request.
    fn write(&self, request: Request<B>, key: &HeaderValue) -> Request<B>;

    /// Whether it writes keys at all. A key that isn't sent doesn't count.
    fn sends(&self) -> bool {
        true
    }

    /// The header that the key goes into, if writing it is all that `write` does.
    #[doc(hidden)]
    fn header(&self) -> Option<&HeaderName> {
        None
    }
}

/// Writes the key into a header.
#[derive(Clone, Debug)]
pub struct InHeader(pub(super) Option<HeaderName>);

impl InHeader {
    pub(crate) fn new(header: HeaderName) -> Self {
        Self(Some(header))
    }
}

impl<B> WriteKey<B> for InHeader {
    fn write(&self, mut request: Request<B>, key: &HeaderValue) -> Request<B> {
        if let Some(header) = &self.0 {
            request.headers_mut().insert(header, key.clone());
        }
        request
    }

    fn sends(&self) -> bool {
        self.0.is_some()
    }

    fn header(&self) -> Option<&HeaderName> {
        self.0.as_ref()
    }
}

impl<B, F> WriteKey<B> for F
where
    B: Body,
    F: Fn(Request<B>, &HeaderValue) -> Request<B>,
{
    fn write(&self, request: Request<B>, key: &HeaderValue) -> Request<B> {
        let before = request.body().size_hint().exact();
        let mut placed = self(request, key);
        let after = placed.body().size_hint().exact();
        // A header that was wrong before stays wrong, so that the caller's mistake is reported.
        if (after.is_none() || after != before) && placed.headers().contains_key(CONTENT_LENGTH) {
            match after {
                Some(length) => placed.headers_mut().insert(CONTENT_LENGTH, length.into()),
                None => placed.headers_mut().remove(CONTENT_LENGTH),
            };
        }
        placed
    }
}
