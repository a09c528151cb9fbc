use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::redact::Kept;

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

    /// What is shown of a text of unknown origin: an error, a reason.
    fn text(&self, text: &str) -> String;

    /// What is shown of an id by which a call is asked for: a correlation id, an idempotency key, what
    /// the business calls it. As of any text, unless this is overridden.
    fn id(&self, id: &str) -> String {
        self.text(id)
    }
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

    fn id(&self, id: &str) -> String {
        (**self).id(id)
    }
}
