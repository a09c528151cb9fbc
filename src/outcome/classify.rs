use std::fmt;
use std::sync::Arc;

use http::{Extensions, HeaderMap, HeaderName, Response, StatusCode};

use super::foreign;
use super::http::HttpClassifier;
use super::waits::LimitHeader;
use crate::context::{CallId, Peer};
use crate::outcome::{Error, ErrorKind};
use crate::rt::callback;
use crate::terms::{Class, RedirectTo};

/// Assigns a [`Class`] to a result.
///
/// It must be a pure function of its arguments. A failure is classified once, and outer layers read
/// the class from the result; a success carries no class, so each layer may classify it again. If
/// this panics, the default classifier is used.
pub trait Classify: Send + Sync + 'static {
    /// The class of a response, by its head.
    fn response(&self, head: &ResponseHead<'_>) -> Class;

    /// The class of an error. By default, it follows from the error's kind.
    fn error(&self, error: &Error) -> Class {
        match error.kind() {
            ErrorKind::Timeout(phase) => Class::Timeout(phase),
            ErrorKind::Transport(fault) => Class::Transport(fault),
            ErrorKind::Rejected(why) => Class::Rejected(why),
            ErrorKind::Invalid | ErrorKind::TooLarge => Class::Invalid,
            ErrorKind::Request => Class::Request,
            ErrorKind::Status(status) => {
                let (headers, extensions) = Default::default();
                let (headers, extensions) = (&headers, &extensions);
                HttpClassifier::by_status(&ResponseHead { status, headers, extensions }, &[])
            }
            // There was an answer: a redirect to an address that can't be called.
            ErrorKind::Other if foreign::is_redirect(error) => Class::ClientError,
            ErrorKind::Other => Class::Other,
        }
    }

    /// Further headers by which the provider announces waits and limits, beside the built-in ones.
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
    /// The extensions, set by other layers and the client.
    pub extensions: &'a Extensions,
}

/// An extension of an answer: the provider says that it didn't act on the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftAlone(pub(crate) CallId);

/// An extension of an answer: the client followed a redirect with a request that isn't safe, so
/// that a 2xx doesn't prove that it was carried out.
///
/// The [reqwest](crate::transport::reqwest) transport sets it, and the own client where a POST became a
/// GET after a 301 or 302. So should other clients that follow redirects. [`HttpClassifier`] treats such an answer as a [`Class::ClientError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirected;

/// An extension of an answer: the client came to it by a redirect that it followed, whatever the method. It
/// says nothing of the first request, which may have been carried out.
#[derive(Clone, Debug)]
pub(crate) struct FollowedRedirect {
    pub(crate) to: RedirectTo,
    /// Who answered.
    pub(crate) peer: Option<Peer>,
}

impl FollowedRedirect {
    /// Whether an answer came after a redirect, and to which origin; a client of somebody's own that says
    /// [`Redirected`] doesn't say which.
    pub(crate) fn before(extensions: &Extensions) -> Option<RedirectTo> {
        let told = extensions.get::<Self>().map(|followed| followed.to);
        told.or_else(|| extensions.get::<Redirected>().map(|_| RedirectTo::SameOrigin))
    }

    /// Whether another origin gave the answer. Its limits and its waits are not the provider's.
    pub(crate) fn left_origin(extensions: &Extensions) -> bool {
        Self::before(extensions) == Some(RedirectTo::OtherOrigin)
    }
}

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
        self.ask(Classify::limit_headers).unwrap_or_default()
    }

    /// Asks the user's classifier; `None` if there is none, or it panics.
    fn ask<'a, T>(&'a self, ask: impl FnOnce(&'a dyn Classify) -> T) -> Option<T> {
        self.0.as_ref().and_then(|own| callback::call("classifier", || ask(&**own)))
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

/// The class of a response: as an inner layer found it, or by this classifier. It is left on the
/// response.
pub(crate) fn class_of_response<B>(by: &SharedClassifier, response: &mut Response<B>) -> Class {
    let (status, headers) = (response.status(), response.headers());
    let class = class_of_head(by, status, headers, response.extensions());
    leave_class(class, response.extensions_mut());
    class
}

/// The class of a response's head, which may have been left on it.
pub(crate) fn class_of_head(
    by: &SharedClassifier,
    status: StatusCode,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Class {
    if let Some(found) = extensions.get::<Class>() {
        return *found;
    }
    let head = ResponseHead { status, headers, extensions };
    by.ask(|own| own.response(&head)).unwrap_or_else(|| HttpClassifier::by_status(&head, &[]))
}

/// Saves a class on an answer, for outer layers; a success needs no word.
pub(crate) fn leave_class(class: Class, extensions: &mut Extensions) {
    if class != Class::Success && extensions.get::<Class>() != Some(&class) {
        extensions.insert(class);
    }
}

/// The class of an error: as an inner layer found it, or by this classifier.
pub(crate) fn class_of_error(by: &SharedClassifier, error: &Error) -> Class {
    error.class_or(|| {
        by.ask(|own| own.error(error)).unwrap_or_else(|| HttpClassifier::new().error(error))
    })
}
