use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::layer::ObserveLayer;
use super::report::Report;
use crate::context::{CallTarget, Context};
use crate::outcome::{BoxError, Error};

/// Tells when a call or an attempt begins and ends. See the [module](super).
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    settings: Arc<ObserveLayer>,
}

impl<S> Observe<S> {
    pub(super) fn new(inner: S, settings: Arc<ObserveLayer>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Observe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ReqBody: Body,
    ResBody: Body,
    ResBody::Error: 'static,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let report = self.settings.emitter.is_listened_to().then(|| {
            let integration = self.settings.emitter.integration();
            let context = Context::of(request.extensions_mut(), integration);
            context.call().target.get_or_init(|| CallTarget::of(&request));
            Report::begin(context, Arc::clone(&self.settings), &request)
        });
        ResponseFuture::new(self.inner.call(request), report)
    }
}
