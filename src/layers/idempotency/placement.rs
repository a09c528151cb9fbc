use http::{HeaderName, HeaderValue, Request};

/// Puts the key where the provider looks for it.
///
/// Implemented by every function of that form, for keys that are a field of the body.
pub trait PlaceKey<B> {
    /// Puts `key` into `request`.
    fn place(&self, request: Request<B>, key: &HeaderValue) -> Request<B>;

    /// Whether it puts keys anywhere. One that isn't sent makes nothing safe.
    fn sends(&self) -> bool {
        true
    }
}

/// Puts the key into a header.
#[derive(Clone, Debug)]
pub struct InHeader(pub(super) Option<HeaderName>);

impl InHeader {
    pub(crate) fn new(header: HeaderName) -> Self {
        Self(Some(header))
    }
}

impl<B> PlaceKey<B> for InHeader {
    fn place(&self, mut request: Request<B>, key: &HeaderValue) -> Request<B> {
        if let Some(header) = &self.0 {
            request.headers_mut().insert(header, key.clone());
        }
        request
    }

    fn sends(&self) -> bool {
        self.0.is_some()
    }
}

impl<B, F> PlaceKey<B> for F
where
    F: Fn(Request<B>, &HeaderValue) -> Request<B>,
{
    fn place(&self, request: Request<B>, key: &HeaderValue) -> Request<B> {
        self(request, key)
    }
}
