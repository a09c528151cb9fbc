use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::{Queued, ResponseFuture};
use super::layer::BulkheadLayer;
use super::limit::Priority;
use super::places::{Entry, Permit};
use super::watch::Watch;
use crate::body::GuardedBody;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::rt;
use crate::terms::Rejection;

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

/// Why a call is not let through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// There was no place, and none in the queue.
    Full,
    /// It had a place in the queue, and somebody of high priority took it.
    Shed,
    /// It waited for so long.
    Late(Duration),
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
        if !self.settings.places.has_room(self.settings.priority) {
            // The call will wait or be refused; either way the inner service is left alone.
            return Poll::Ready(Ok(()));
        }
        let ready = self.inner.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready.map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let ready = std::mem::take(&mut self.ready);
        let BulkheadLayer { places, priority, standing, .. } = &*self.settings;
        let permit = match places.enter(*priority, *standing) {
            Entry::Full => {
                self.unready(ready);
                let context =
                    Context::of(request.extensions_mut(), self.settings.emitter.integration());
                return ResponseFuture::rejected(self.settings.refuse(Refusal::Full, &context));
            }
            Entry::Queued(ticket) => {
                self.unready(ready);
                let settings = Arc::clone(&self.settings);
                let context = Context::of(request.extensions_mut(), settings.emitter.integration());
                settings.emitter.emit(Some(&context), || Event::BulkheadQueued);
                let queued = Queued::new(ticket, context, settings);
                return ResponseFuture::queued(self.inner.clone(), request, queued);
            }
            Entry::Admitted(permit) => Some(permit),
            Entry::Uncounted => None,
        };
        if ready {
            let watch = Watch::begin(&self.settings, &mut request);
            return ResponseFuture::calling(self.inner.call(request), permit, watch);
        }
        let settings = Arc::clone(&self.settings);
        ResponseFuture::readying(self.take_inner(), request, permit, settings)
    }
}

impl<S: Clone> Bulkhead<S> {
    /// Whoever has no place lets go of an instance that is ready: it may hold something that others
    /// need sooner.
    fn unready(&mut self, ready: bool) {
        if ready {
            drop(self.take_inner());
        }
    }

    /// The very instance that was polled; a clone takes its place.
    fn take_inner(&mut self) -> S {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

impl BulkheadLayer {
    pub(super) fn refuse(&self, refusal: Refusal, context: &Context) -> Error {
        let why = match refusal {
            Refusal::Late(_) => Rejection::QueueTimeout,
            _ => Rejection::Full,
        };
        self.emitter.emit(Some(context), || Event::BulkheadRejected { why });
        let (limit, in_use) = (self.places.limit().unwrap_or_default(), self.places.in_use());
        let queue = self.places.queue_limit();
        let detail = match refusal {
            Refusal::Late(waited) => {
                format!("no place free within {:?}; {in_use} of {limit} in use", rt::shown(waited))
            }
            Refusal::Full => match self.places.reserved() {
                reserved if reserved > 0 && self.priority == Priority::Low => format!(
                    "{in_use} of {limit} in use, {reserved} kept for high priority, {queue} may wait"
                ),
                _ => format!("{in_use} of {limit} in use, {queue} may wait"),
            },
            Refusal::Shed => format!(
                "a call of high priority took its place in the queue; {in_use} of {limit} in use, {queue} may wait"
            ),
        };
        Error::rejected(why, detail).with_context(context).with_elapsed(context.elapsed())
    }
}
