use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::layer::DeadlineLayer;
use crate::context::{CallDeadline, Context, Scope};
use crate::error::{BoxError, Error};
use crate::rt;

/// Ends every call in time. See the [module](super).
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
    /// The inner service said that it is ready, and nobody has called it since.
    ready: Readied,
    settings: Arc<DeadlineLayer>,
}

/// Readiness belongs to one instance: a clone begins without.
#[derive(Debug, Default)]
struct Readied(bool);

impl Clone for Readied {
    fn clone(&self) -> Self {
        Self(false)
    }
}

impl<S> Deadline<S> {
    pub(super) fn new(inner: S, settings: Arc<DeadlineLayer>) -> Self {
        Self { inner, ready: Readied::default(), settings }
    }

    /// The call's context, with the soonest of all deadlines in it.
    fn begin<B>(&self, request: &mut Request<B>) -> Context {
        let context = Context::of(request.extensions_mut(), self.settings.emitter.integration());
        // Most calls carry their context and nothing else.
        let others = request.extensions().len() > 1;
        let own = others.then(|| request.extensions().get::<CallDeadline>()).flatten();
        let own = own.map(|deadline| deadline.0);
        let limit = self.settings.limit.map(|limit| rt::after(context.started(), limit));
        for deadline in [own, limit, Scope::current_deadline()].into_iter().flatten() {
            context.call().end_by(deadline);
        }
        context
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Deadline<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // Always ready: what isn't ready yet is waited for under the deadline.
        if let Poll::Ready(ready) = self.inner.poll_ready(cx) {
            ready.map_err(|error| Error::from_inner(error, None).unsent())?;
            self.ready.0 = true;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let context = self.begin(&mut request);
        let settings = &*self.settings;
        if std::mem::take(&mut self.ready.0) {
            return ResponseFuture::calling(self.inner.call(request), context, settings);
        }
        // The future goes on with the very instance that was polled.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        ResponseFuture::readying(inner, request, context, settings)
    }
}
