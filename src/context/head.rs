use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::redact::{Redactor, StandardRedactor};

/// A request without its body, for functions that make a decision by it.
///
/// `Debug` shows the URI as a [`StandardRedactor`] does, and no headers.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URI.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions of the request.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    /// The head of `request`.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("uri", &StandardRedactor::new().uri(self.uri))
            .finish_non_exhaustive()
    }
}
