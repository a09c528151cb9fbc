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

    /// Copies the head and begins to record the body, up to `cap` bytes.
    pub(super) fn save(&mut self, request: Request<W::Body>, cap: usize) -> Request<W::Body> {
        let (head, body) = request.into_parts();
        let context = usize::from(head.extensions.get::<Context>().is_some());
        let extensions = (head.extensions.len() > context).then(|| head.extensions.clone());
        self.head = Some(Head {
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            extensions,
        });
        let headers = head.headers.iter();
        self.headers.extend(headers.map(|(name, value)| (name.clone(), value.clone())));
        Request::from_parts(head, self.body.save(body, cap))
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

    pub(super) fn method(&self) -> Option<&Method> {
        self.head.as_ref().map(|head| &head.method)
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// Clears the copy, and keeps its memory.
    pub(super) fn clear(&mut self) {
        if self.head.take().is_some() {
            self.headers.clear();
            self.body.clear();
        }
    }
}
