use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::wire::{Saved, Wire};
use crate::context::Context;

/// A copy of a request, to send it again. Its memory is reused from call to call.
///
/// A request that succeeds at once is the common case, and copying its head must not cost it an
/// allocation. So headers are copied into a list, whose memory stays, and become a map only when
/// needed.
pub(super) struct SavedRequest<W: Wire> {
    head: Option<Head>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: W::Saved,
}

struct Head {
    method: Method,
    uri: Uri,
    version: Version,
    /// Copied only if there are others than the context, because a copy allocates. The context is
    /// added again when the request is sent.
    extensions: Option<Extensions>,
}

impl<W: Wire> Default for SavedRequest<W> {
    fn default() -> Self {
        Self { head: None, headers: Vec::new(), body: W::Saved::default() }
    }
}

impl<W: Wire> SavedRequest<W> {
    pub(super) fn is_saved(&self) -> bool {
        self.head.is_some()
    }

    /// Copies the head, and the body or records it, up to `cap` bytes. Has no effect on a request
    /// that is saved already.
    pub(super) fn save(&mut self, place: &mut Option<Request<W::Body>>, cap: usize) {
        let Some(request) = place.as_ref().filter(|_| !self.is_saved()) else { return };
        self.head = Some(Head {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            extensions: copied(request.extensions()),
        });
        let headers = request.headers().iter();
        self.headers.extend(headers.map(|(name, value)| (name.clone(), value.clone())));
        if !self.body.copy(request.body(), cap) {
            let recorded = |request: Request<_>| request.map(|body| self.body.record(body, cap));
            *place = place.take().map(recorded);
        }
    }

    /// Makes the request again; `None` if its body can't be sent again.
    pub(super) fn rebuild(&self) -> Option<Request<W::Body>> {
        let head = self.head.as_ref()?;
        let mut request = Request::new(self.body.again()?);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.clone();
        *request.version_mut() = head.version;
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        *request.headers_mut() = headers;
        if let Some(extensions) = &head.extensions {
            request.extensions_mut().clone_from(extensions);
        }
        Some(request)
    }

    pub(super) fn uri(&self) -> Option<&Uri> {
        self.head.as_ref().map(|head| &head.uri)
    }

    pub(super) fn method(&self) -> Option<&Method> {
        self.head.as_ref().map(|head| &head.method)
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// What the caller has put into the request's extensions.
    pub(super) fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.head.as_ref()?.extensions.as_ref()?.get()
    }

    /// Clears the copy, and keeps its memory.
    pub(super) fn clear(&mut self) {
        if self.head.take().is_some() {
            self.headers.clear();
            self.body.clear();
        }
    }
}

fn copied(extensions: &Extensions) -> Option<Extensions> {
    let context = match extensions.is_empty() {
        true => return None,
        false => usize::from(extensions.get::<Context>().is_some()),
    };
    (extensions.len() > context).then(|| extensions.clone())
}
