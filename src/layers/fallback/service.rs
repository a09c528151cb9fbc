use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::failed::Facts;
use super::future::ResponseFuture;
use super::layer::FallbackLayer;
use crate::context::{BusinessKey, Context, PathTemplate};
use crate::outcome::{BoxError, Error};
use crate::replay::own_key;

/// Answers in the provider's place. See the [module](super).
#[derive(Clone, Debug)]
pub struct Fallback<S> {
    inner: S,
    settings: Arc<FallbackLayer>,
}

impl<S> Fallback<S> {
    pub(super) fn new(inner: S, settings: Arc<FallbackLayer>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Fallback<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = bytes::Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // A service that can't become ready is a programming mistake, or gone for good: it is said
        // before there is a call to answer for.
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let facts = self.settings.answer.is_some().then(|| self.settings.facts(&mut request));
        ResponseFuture::new(self.inner.call(request), facts, &self.settings)
    }
}

impl FallbackLayer {
    fn facts<B>(&self, request: &mut Request<B>) -> Facts {
        let context = Context::of(request.extensions_mut(), self.emitter.integration());
        // Most calls carry their context and nothing else.
        let others = (request.extensions().len() > 1).then(|| request.extensions());
        let own_key = self.recorder.as_ref().and_then(|_| own_key(request, &self.key_header));
        Facts {
            method: request.method().clone(),
            path: others.and_then(|others| others.get::<PathTemplate>().cloned()),
            business_key: others.and_then(|others| others.get::<BusinessKey>().cloned()),
            own_key,
            context,
        }
    }
}
