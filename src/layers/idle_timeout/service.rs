use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{ResponseBody, Watch};
use super::future::ResponseFuture;
use super::layer::IdleTimeoutLayer;
use crate::context::Context;
use crate::outcome::{BoxError, Error};

/// Ends a body that falls silent. See the [module](super).
#[derive(Clone, Debug)]
pub struct IdleTimeout<S> {
    inner: S,
    settings: Arc<IdleTimeoutLayer>,
}

impl<S> IdleTimeout<S> {
    pub(super) fn new(inner: S, settings: Arc<IdleTimeoutLayer>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for IdleTimeout<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let IdleTimeoutLayer { limit, emitter } = &*self.settings;
        let context = Context::of(request.extensions_mut(), emitter.integration());
        let watch = Watch { context, limit: *limit, emitter: emitter.for_call() };
        ResponseFuture::new(self.inner.call(request), watch)
    }
}
