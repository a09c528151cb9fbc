use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::BulkheadLayer;
use super::state::{Entry, Permit, Places};
use crate::body::GuardedBody;
use crate::context::Context;
use crate::error::{BoxError, Error};
use crate::event::Event;
use crate::outcome::Rejection;

/// Bounds concurrency. See the [module](super).
#[derive(Debug)]
pub struct Bulkhead<S> {
    inner: S,
    /// The inner service said that it is ready, and nobody has called it since.
    ready: bool,
    settings: Arc<BulkheadLayer>,
}

impl<S> Bulkhead<S> {
    pub(super) fn new(inner: S, settings: Arc<BulkheadLayer>) -> Self {
        Self { inner, ready: false, settings }
    }
}

/// A clone carries neither a place nor readiness.
impl<S: Clone> Clone for Bulkhead<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings))
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Bulkhead<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    ResBody: Body,
{
    type Response = Response<GuardedBody<ResBody, Permit>>;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        let has_room = self.settings.places.as_ref().is_none_or(|places| places.has_room());
        if !has_room {
            // The call will wait or be refused; either way the inner service is left alone.
            return Poll::Ready(Ok(()));
        }
        let ready = self.inner.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready.map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let ready = std::mem::take(&mut self.ready);
        let entry = self.settings.places.as_ref().map(Places::enter);
        if let Some(Entry::Full) = entry {
            let context =
                Context::of(request.extensions_mut(), self.settings.emitter.integration());
            return ResponseFuture::rejected(self.settings.reject(Rejection::Full, &context));
        }
        let permit = match entry {
            Some(Entry::Queued(ticket)) => {
                let settings = Arc::clone(&self.settings);
                let context = Context::of(request.extensions_mut(), settings.emitter.integration());
                settings.emitter.emit(Some(&context), || Event::BulkheadQueued);
                let inner = self.take_inner();
                return ResponseFuture::queued(inner, ready, request, ticket, context, settings);
            }
            Some(Entry::Admitted(permit)) => Some(permit),
            _ => None,
        };
        if ready {
            return ResponseFuture::calling(self.inner.call(request), permit);
        }
        ResponseFuture::readying(self.take_inner(), request, permit)
    }
}

impl<S: Clone> Bulkhead<S> {
    /// The very instance that was polled; a clone takes its place.
    fn take_inner(&mut self) -> S {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

impl BulkheadLayer {
    pub(super) fn reject(&self, why: Rejection, context: &Context) -> Error {
        self.emitter.emit(Some(context), || Event::BulkheadRejected { why });
        let limit = self.concurrency.unwrap_or_default();
        let in_use = self.places.as_ref().map_or(0, |places| places.in_use());
        let queue = self.queue;
        let detail = match why {
            Rejection::QueueTimeout => {
                let waited = self.queue_wait.unwrap_or_default();
                format!("no place free within {waited:?}; {in_use} of {limit} in use")
            }
            _ => format!("{in_use} of {limit} in use, {queue} may wait"),
        };
        Error::rejected(why, detail).with_context(context).with_elapsed(context.elapsed())
    }
}
