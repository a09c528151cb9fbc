use std::any::Any;
use std::pin::Pin;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::body::{Recording, ReplayBody};
use crate::context::Context;
use crate::rt::free_list::Spares;
use crate::rt::{Rng, Timer};

/// What is kept of a request to send it again, in room that is used from call to call.
///
/// A request that succeeds at once is the common case, and copying its head must not cost it an
/// allocation. So the copy is a list, whose room stays, and becomes a map only if it is needed.
pub(crate) struct Memory<S, B> {
    head: Option<Head>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Recording<B>,
    /// A clone of the inner service for further attempts.
    pub(crate) service: Option<S>,
    /// A timer, where whoever remembers needs one; its room stays too.
    pub(crate) timer: Option<Pin<Box<Timer>>>,
}

struct Head {
    method: Method,
    uri: Uri,
    version: Version,
    /// Copied only if there are others than the context, which can be put back by itself:
    /// extensions can't be copied without allocating.
    extensions: Option<Extensions>,
}

/// Memories of ended calls. Their types are known to the service's methods, not to the service.
pub(crate) type Memories = Spares<Box<dyn Any + Send>>;

impl<S: 'static, B: 'static> Memory<S, B> {
    pub(crate) fn take(spares: &Memories) -> Box<Self> {
        let spare = spares.take().and_then(|spare| spare.downcast().ok());
        spare.unwrap_or_else(|| {
            let (headers, body) = (Vec::new(), Recording::default());
            Box::new(Self { head: None, headers, body, service: None, timer: None })
        })
    }
}

impl<S, B: http_body::Body> Memory<S, B> {
    /// Copies the head and begins to record the body.
    pub(crate) fn remember(&mut self, request: Request<B>, cap: usize) -> Request<ReplayBody<B>> {
        let others = request.extensions().len() > 1;
        let extensions = others.then(|| request.extensions().clone());
        self.head = Some(Head {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            extensions,
        });
        let headers = request.headers().iter();
        self.headers.extend(headers.map(|(name, value)| (name.clone(), value.clone())));
        let (parts, body) = request.into_parts();
        Request::from_parts(parts, self.body.start(body, cap))
    }

    /// The request's method.
    pub(crate) fn method(&self) -> Option<&Method> {
        self.head.as_ref().map(|head| &head.method)
    }

    /// The request's headers.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The request once more, as attempt number `attempt`; `None` if its body can't be sent again.
    pub(crate) fn recall(&self, context: &Context, attempt: u32) -> Option<Request<ReplayBody<B>>> {
        let head = self.head.as_ref()?;
        let mut request = Request::new(self.body.again()?);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.version_mut() = head.version;
        *request.headers_mut() = self.headers.iter().cloned().collect::<Headers>().0;
        if let Some(extensions) = &head.extensions {
            request.extensions_mut().clone_from(extensions);
        }
        let mut context = context.clone().begun_now();
        context.set_attempt(attempt);
        context.continue_trace(request.headers_mut(), &Rng::system());
        request.extensions_mut().insert(context);
        Some(request)
    }

    /// Forgets the call, and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.head = None;
        self.headers.clear();
        self.body.clear();
        if let Some(timer) = &mut self.timer {
            timer.as_mut().disarm();
        }
    }
}

/// A map of headers in which a repeated name stays repeated.
struct Headers(HeaderMap);

impl FromIterator<(HeaderName, HeaderValue)> for Headers {
    fn from_iter<I: IntoIterator<Item = (HeaderName, HeaderValue)>>(headers: I) -> Self {
        let headers = headers.into_iter();
        let mut map = HeaderMap::with_capacity(headers.size_hint().0);
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        Self(map)
    }
}
