use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};

use crate::body::{Body, IntoBytes};

/// One attempt's request, as it will be sent, and the time.
///
/// `Debug` shows no header and no part of the body.
#[derive(Clone)]
#[non_exhaustive]
pub struct SigningInput {
    /// The method.
    pub method: Method,
    /// The absolute URI, query and all.
    pub uri: Uri,
    /// The headers, those of the attempt's token and trace included. The client itself adds `host`,
    /// `content-length` and what the connection needs.
    pub headers: HeaderMap,
    /// The body.
    pub body: SigningBody,
    /// The time to sign with: the machine's, corrected by what the provider's refusals said.
    pub now: SystemTime,
}

/// The body of a request that is signed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningBody {
    /// All its bytes; none if there is no body.
    Whole(Bytes),
    /// A stream, whose bytes are known only when they are sent.
    Stream,
}

/// What a signer adds to a request. `Debug` shows no values.
#[derive(Clone, Default)]
#[must_use]
pub struct Signed {
    pub(super) headers: HeaderMap,
    pub(super) key_id: Option<String>,
    #[cfg(feature = "sign")]
    pub(super) has_digest_trailer: bool,
}

impl SigningInput {
    /// The request as it is, at this time. For tests of a signer.
    #[must_use]
    pub fn new(request: &Request<Body>, now: SystemTime) -> Self {
        let whole = request.body().again().and_then(|body| body.into_bytes().ok());
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: whole.map_or(SigningBody::Stream, SigningBody::Whole),
            now,
        }
    }

    /// The time in whole seconds since 1970.
    #[must_use]
    pub fn unix_seconds(&self) -> u64 {
        self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}

impl SigningBody {
    /// The bytes.
    ///
    /// # Errors
    ///
    /// If it is a stream.
    pub fn whole(&self) -> Result<&Bytes, super::SignError> {
        match self {
            Self::Whole(bytes) => Ok(bytes),
            Self::Stream => Err(super::SignError::streamed()),
        }
    }
}

impl Signed {
    /// Sends these headers, in place of any of the same name. They are marked as sensitive.
    pub fn new(headers: HeaderMap) -> Self {
        Self { headers, ..Self::default() }
    }

    /// Which key it was, for [events](crate::event::Event::Signed): its name, never the key.
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    /// What is added to the request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends the SHA-256 of a streamed body in a trailer `content-digest` (RFC 9530), after it.
    ///
    /// A digest that no signature covers protects from a broken body, not from a changed one. `trailer`
    /// announces it, and the body has no length announced, because only then HTTP/1.1 has trailers.
    #[cfg(feature = "sign")]
    pub fn with_digest_trailer(mut self) -> Self {
        self.has_digest_trailer = true;
        self
    }

    /// Writes them into a request's headers.
    pub(super) fn write_into(&mut self, headers: &mut HeaderMap) {
        self.headers.values_mut().for_each(|value| value.set_sensitive(true));
        headers.extend(std::mem::take(&mut self.headers));
    }
}

impl fmt::Debug for SigningInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningInput")
            .field("method", &self.method)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream => f.write_str("a stream"),
        }
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
