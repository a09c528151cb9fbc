use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::event::Kept;

/// Decides what may be shown.
///
/// An own one often asks a [`StandardRedactor`](super::StandardRedactor) first and hides more.
pub trait Redactor: Send + Sync + 'static {
    /// What is shown of a header's value.
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String;

    /// What is shown of a request's URI.
    fn uri(&self, uri: &Uri) -> String;

    /// What is shown of a body that came with these headers; `None` if nothing is.
    fn body(&self, headers: &HeaderMap, body: &Kept) -> Option<String>;

    /// What is shown of a text of unknown making: an error, a key, a reason.
    fn text(&self, text: &str) -> String;
}

impl<R: Redactor + ?Sized> Redactor for Arc<R> {
    fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        (**self).header(name, value)
    }

    fn uri(&self, uri: &Uri) -> String {
        (**self).uri(uri)
    }

    fn body(&self, headers: &HeaderMap, body: &Kept) -> Option<String> {
        (**self).body(headers, body)
    }

    fn text(&self, text: &str) -> String {
        (**self).text(text)
    }
}
