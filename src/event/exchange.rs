use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

/// The heads and bodies of one attempt, kept because a subscriber [wants](super::Subscriber::wants)
/// them.
///
/// Nothing in it is redacted: whoever shows any of it sees to that first, with a
/// [`Redactor`](crate::redact::Redactor). Its own `Debug` shows sizes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The request's method.
    pub method: Method,
    /// The request's URI.
    pub uri: Uri,
    /// The request's headers.
    pub request_headers: HeaderMap,
    /// What was sent of the request's body.
    pub request_body: Kept,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The answer's headers.
    pub response_headers: HeaderMap,
    /// What was read of the answer's body.
    pub response_body: Kept,
}

/// The beginning of a body. Its `Debug` shows sizes.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// As much of it as is kept.
    pub bytes: Vec<u8>,
    /// How much there was of it, in bytes, as far as it came.
    pub total: u64,
    /// It came to its end.
    pub is_whole: bool,
}

/// An exchange that is under way, written by who sends and who reads.
#[derive(Debug)]
pub(crate) struct Capture {
    cap: usize,
    exchange: Mutex<Exchange>,
}

impl Capture {
    pub(crate) fn begin<B>(request: &Request<B>, cap: usize) -> Self {
        let exchange = Exchange {
            method: request.method().clone(),
            uri: request.uri().clone(),
            request_headers: request.headers().clone(),
            request_body: Kept::default(),
            status: None,
            response_headers: HeaderMap::new(),
            response_body: Kept::default(),
        };
        Self { cap, exchange: Mutex::new(exchange) }
    }

    pub(crate) fn answered<B>(&self, response: &Response<B>) {
        let mut exchange = self.exchange();
        exchange.status = Some(response.status());
        exchange.response_headers.clone_from(response.headers());
    }

    pub(crate) fn sent(&self, chunk: &[u8]) {
        self.exchange().request_body.add(chunk, self.cap);
    }

    pub(crate) fn sent_all(&self) {
        self.exchange().request_body.is_whole = true;
    }

    pub(crate) fn received(&self, chunk: &[u8]) {
        self.exchange().response_body.add(chunk, self.cap);
    }

    pub(crate) fn received_all(&self) {
        self.exchange().response_body.is_whole = true;
    }

    /// What there is of it by now.
    pub(crate) fn so_far(&self) -> Exchange {
        self.exchange().clone()
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "audit")]
impl Exchange {
    /// A copy with at most so many bytes of each body.
    pub(crate) fn up_to(&self, cap: usize) -> Self {
        Self {
            method: self.method.clone(),
            uri: self.uri.clone(),
            request_headers: self.request_headers.clone(),
            request_body: self.request_body.up_to(cap),
            status: self.status,
            response_headers: self.response_headers.clone(),
            response_body: self.response_body.up_to(cap),
        }
    }

    /// How many bytes of heads and bodies it holds, about.
    pub(crate) fn size(&self) -> usize {
        let head = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
        };
        head(&self.request_headers)
            + head(&self.response_headers)
            + self.request_body.bytes.len()
            + self.response_body.bytes.len()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("request_body", &self.request_body)
            .field("status", &self.status)
            .field("response_body", &self.response_body)
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// All of a body.
    #[must_use]
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { total: bytes.len() as u64, bytes, is_whole: true }
    }

    /// The beginning of a body of which so many bytes came, or that went on.
    #[must_use]
    pub fn cut(bytes: impl Into<Vec<u8>>, total: u64) -> Self {
        Self { bytes: bytes.into(), total, is_whole: false }
    }

    #[cfg(feature = "audit")]
    fn up_to(&self, cap: usize) -> Self {
        let bytes = self.bytes[..self.bytes.len().min(cap)].to_vec();
        Self { bytes, total: self.total, is_whole: self.is_whole }
    }

    fn add(&mut self, chunk: &[u8], cap: usize) {
        self.total += chunk.len() as u64;
        let room = cap.saturating_sub(self.bytes.len()).min(chunk.len());
        self.bytes.extend_from_slice(&chunk[..room]);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("bytes", &self.bytes.len())
            .field("total", &self.total)
            .field("is_whole", &self.is_whole)
            .finish()
    }
}
