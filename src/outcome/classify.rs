use std::fmt;
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderName, Response, StatusCode};

use super::foreign;
use super::http::HttpClassifier;
use super::waits::LimitHeader;
use crate::context::CallId;
use crate::outcome::{Error, ErrorKind};
use crate::rt::callback;
use crate::terms::Class;

/// Says what a result means.
///
/// It must be a pure function of what it is shown: a failure is classified once and the finding
/// rides on the result to the layers above, while a success, which carries nothing, may be shown to
/// each of them. Where it panics, the default classifier's finding holds.
pub trait Classify: Send + Sync + 'static {
    /// What a response means, by its head.
    fn response(&self, head: &ResponseHead<'_>) -> Class;

    /// What an error means; by its kind, unless a provider's errors need another reading.
    fn error(&self, error: &Error) -> Class {
        match error.kind() {
            ErrorKind::Timeout(phase) => Class::Timeout(phase),
            ErrorKind::Transport(fault) => Class::Transport(fault),
            ErrorKind::Rejected(why) => Class::Rejected(why),
            ErrorKind::Invalid | ErrorKind::TooLarge => Class::Invalid,
            ErrorKind::Request => Class::Request,
            // There was an answer, and it named a place that can't be asked.
            ErrorKind::Other if foreign::is_redirect(error) => Class::ClientError,
            ErrorKind::Other => Class::Other,
        }
    }

    /// Headers by which the provider tells of waits and limits, beside those that are known by
    /// themselves.
    fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        &[]
    }
}

/// A response without its body. `Debug` shows no headers.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// What other layers and the client left on the response.
    pub extensions: &'a Extensions,
}

/// On an answer of this call: the provider says that it left the request alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftAlone(pub(crate) CallId);

/// On an answer, in its extensions: the client was redirected with a request that asks for something to
/// be done, and a 2xx doesn't say that it was.
///
/// The [reqwest](crate::transport::reqwest) transport puts it there; so may whoever follows redirects by
/// other means. [`HttpClassifier`] takes such an answer for a [`Class::ClientError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirected;

/// A classifier as the layers keep it; `None` is the default one, called without a pointer.
#[derive(Clone, Default)]
pub(crate) struct SharedClassifier(Option<Arc<dyn Classify>>);

impl<'a> ResponseHead<'a> {
    /// The head of `response`.
    pub fn of<B>(response: &'a Response<B>) -> Self {
        Self {
            status: response.status(),
            headers: response.headers(),
            extensions: response.extensions(),
        }
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead").field("status", &self.status).finish_non_exhaustive()
    }
}

impl fmt::Debug for SharedClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "own classifier" } else { "default classifier" })
    }
}

impl SharedClassifier {
    pub(crate) fn new(classifier: impl Classify) -> Self {
        Self(Some(Arc::new(classifier)))
    }

    pub(crate) fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        let own = self.0.as_ref();
        own.and_then(|own| callback::call(CLASSIFIER, || own.limit_headers())).unwrap_or_default()
    }
}

impl<C: Classify + ?Sized> Classify for Arc<C> {
    fn response(&self, head: &ResponseHead<'_>) -> Class {
        (**self).response(head)
    }

    fn error(&self, error: &Error) -> Class {
        (**self).error(error)
    }

    fn limit_headers(&self) -> &[(HeaderName, LimitHeader)] {
        (**self).limit_headers()
    }
}

/// The class of a response: the one found by a layer further in, else this classifier's finding,
/// which is left on the response unless it is a plain success.
pub(crate) fn class_of_response<B>(by: &SharedClassifier, response: &mut Response<B>) -> Class {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let class = class_of_head(by, status, &headers, response.extensions_mut());
    *response.headers_mut() = headers;
    class
}

/// The same, by a response's parts.
pub(crate) fn class_of_head(
    by: &SharedClassifier,
    status: StatusCode,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Class {
    if let Some(found) = extensions.get::<Class>() {
        return *found;
    }
    let head = ResponseHead { status, headers, extensions };
    let own = by.0.as_ref().map(|own| callback::call(CLASSIFIER, || own.response(&head)));
    let class = own.flatten().unwrap_or_else(|| HttpClassifier::by_status(&head, &[]));
    // One that panicked is not asked again.
    if class != Class::Success || matches!(own, Some(None)) {
        extensions.insert(class);
    }
    class
}

/// The class of an error: the one found by a layer further in, else this classifier's.
pub(crate) fn class_of_error(by: &SharedClassifier, error: &Error) -> Class {
    error.class_or(|| {
        let own = by.0.as_ref();
        let own = own.and_then(|own| callback::call(CLASSIFIER, || own.error(error)));
        own.unwrap_or_else(|| HttpClassifier::new().error(error))
    })
}

/// What a classifier of the host's is called where it is told that it panicked.
const CLASSIFIER: &str = "classifier";
