use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::response::Parts;
use http::{HeaderMap, Method, Request, StatusCode, Uri};

use crate::redact::Kept;

/// The heads and bodies of one attempt, kept because a subscriber [asked for
/// it](crate::event::Subscriber::interest) them.
///
/// It is not redacted: pass it through a [`Redactor`](crate::redact::Redactor) before showing it.
/// Its own `Debug` shows only sizes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The request's method.
    pub method: Method,
    /// The request's URI.
    pub uri: Uri,
    /// The request's headers.
    pub request_headers: HeaderMap,
    /// The part of the request's body that was sent.
    pub request_body: Kept,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The answer's headers.
    pub response_headers: HeaderMap,
    /// The part of the answer's body that was read.
    pub response_body: Kept,
}

/// A running exchange, written while the request is sent and the answer is read.
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

    pub(crate) fn answered(&self, head: &Parts) {
        let mut exchange = self.exchange();
        exchange.status = Some(head.status);
        exchange.response_headers.clone_from(&head.headers);
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

    /// A copy of the exchange so far.
    pub(crate) fn so_far(&self) -> Exchange {
        self.exchange().clone()
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "audit")]
impl Exchange {
    /// A copy with at most `cap` bytes of each body.
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

    /// About how many bytes of heads and bodies it holds.
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
