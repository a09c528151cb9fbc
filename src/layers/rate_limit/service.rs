use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::{Note, ResponseFuture};
use super::layer::RateLimitLayer;
use super::limiter::{Entry, Rejected};
use super::resources::Route;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::pattern::ready::Inner;
use crate::rt;
use crate::terms::Rejection;

/// Keeps to a provider's rate. See the [module](super).
#[derive(Clone, Debug)]
pub struct RateLimit<S> {
    inner: Inner<S>,
    settings: Arc<RateLimitLayer>,
}

impl<S> RateLimit<S> {
    pub(super) fn new(inner: S, settings: Arc<RateLimitLayer>) -> Self {
        Self { inner: Inner::new(inner), settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimit<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        let inner = self.inner.poll_ready(cx);
        match self.settings.is_free() {
            true => inner,
            // Turns are given to calls, not to those who may call: a readied clone that is dropped
            // has taken none. If it isn't ready, the inner service is asked again when it is the
            // call's turn.
            false => match inner {
                Poll::Pending => Poll::Ready(Ok(())),
                ready => ready,
            },
        }
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        let keyed = settings.keyed_limiter(&request);
        let limiter = keyed.as_ref().unwrap_or(&settings.limiter);
        if settings.is_disabled(limiter) {
            return ResponseFuture::unlimited(self.inner.send(request));
        }
        let context = Context::of(request.extensions_mut(), settings.emitter.integration());
        let route = Route::of(request.method(), request.uri());
        let latest = |now| context.latest_start(now, settings.attempt);
        let entry = limiter.enter(route, context.state().attempt_began(), latest);
        match entry {
            Entry::Now(turn) => {
                let sending = self.inner.send(request);
                let note = Note::new(context, Arc::clone(settings), keyed);
                ResponseFuture::sent(sending, turn, note)
            }
            Entry::Rejected(rejected) => {
                self.inner.let_go();
                ResponseFuture::rejected(settings.reject(rejected, &context))
            }
            Entry::Queued(ticket, wait) => {
                settings.emitter.emit(Some(&context), || Event::RateLimitQueued { wait });
                let note = Note::new(context, Arc::clone(settings), keyed);
                self.inner.let_go();
                ResponseFuture::queued(self.inner.clone(), request, ticket, note)
            }
        }
    }
}

impl RateLimitLayer {
    pub(super) fn reject(&self, rejected: Rejected, context: &Context) -> Error {
        let Rejected { wait: retry_after, is_full } = rejected;
        self.emitter.emit(Some(context), || Event::RateLimitRejected { retry_after });
        let detail = match retry_after {
            None => "no turn in the time allowed for it".to_owned(),
            Some(wait) if is_full => {
                format!(
                    "{} calls wait already; come back in {:?}",
                    self.config.queue,
                    rt::shown(wait)
                )
            }
            Some(wait) => format!("come back in {:?}", rt::shown(wait)),
        };
        Error::rejected(Rejection::RateLimited, detail)
            .with_retry_after(retry_after)
            .with_context(context)
            .with_elapsed(context.elapsed())
    }
}
