use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::layer::DeadlineLayer;
use crate::context::{CallDeadline, Context, Scope};
use crate::outcome::{BoxError, Error};
use crate::rt;

/// Ends every call in time. See the [module](super).
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
    /// What the inner service said, and nobody has called it since.
    ready: Readied,
    settings: Arc<DeadlineLayer>,
}

/// Readiness belongs to one instance: a clone begins without.
#[derive(Debug, Default)]
enum Readied {
    #[default]
    NotYet,
    Ready,
    /// It never will be: the next call ends with this.
    Failed(Error),
}

impl Clone for Readied {
    fn clone(&self) -> Self {
        Self::NotYet
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

    /// Whether the deadline has passed already. The layer's own limit begins with the call: only a
    /// deadline that somebody else set can have.
    fn is_late(&self, context: &Context) -> bool {
        let limit = self.settings.limit.map(|limit| rt::after(context.started(), limit));
        let others = context.deadline().filter(|deadline| Some(*deadline) != limit);
        others.is_some_and(|deadline| rt::now() >= deadline)
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
        // Always ready: what isn't ready yet is waited for under the deadline, and what can't be is
        // how the call ends, where everybody further out sees it.
        match self.inner.poll_ready(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => self.ready = Readied::Ready,
            Poll::Ready(Err(error)) => {
                self.ready = Readied::Failed(Error::from_inner(error, None).unsent());
                // Who fails to get ready is not asked again.
                self.inner = self.inner.clone();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let context = self.begin(&mut request);
        let settings = &*self.settings;
        match std::mem::take(&mut self.ready) {
            ready if self.is_late(&context) => {
                if let Readied::Ready = ready {
                    // It may hold a place for the call that won't be made.
                    self.inner = self.inner.clone();
                }
                ResponseFuture::too_late(context, settings)
            }
            Readied::Ready => ResponseFuture::calling(self.inner.call(request), context, settings),
            Readied::Failed(error) => ResponseFuture::failed(error, context, settings),
            Readied::NotYet => {
                // The future goes on with the very instance that was polled.
                let clone = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::readying(inner, request, context, settings)
            }
        }
    }
}
