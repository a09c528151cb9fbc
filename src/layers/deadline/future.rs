use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::layer::DeadlineLayer;
use crate::context::Context;
use crate::event::{Emitter, Event};
use crate::outcome::{BoxError, Error};
use crate::rt::{self, Timer};
use crate::terms::{Delivery, Phase};

pin_project! {
    /// A call under its deadline.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, Request<B>>,
        #[pin]
        watch: Watch,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R> {
        /// The inner service isn't ready yet: the request is still here.
        Readying { service: S, request: Option<R> },
        /// The call is on its way.
        Calling { #[pin] future: F },
        /// The inner service can't get ready.
        Failed { error: Option<Error> },
    }
}

pin_project! {
    /// What the future and the body both look at.
    #[derive(Debug)]
    pub(super) struct Watch {
        #[pin]
        timer: Timer,
        due: Option<Instant>,
        // Taken over by the body, when there is one.
        facts: Option<Facts>,
    }
}

/// Whose deadline it is.
#[derive(Debug)]
struct Facts {
    context: Context,
    emitter: Emitter,
    shares_timers: bool,
}

// === impl ResponseFuture ===

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn calling(future: S::Future, context: Context, settings: &DeadlineLayer) -> Self {
        Self { state: State::Calling { future }, watch: Watch::new(context, settings) }
    }

    pub(super) fn readying(
        service: S,
        request: Request<B>,
        context: Context,
        settings: &DeadlineLayer,
    ) -> Self {
        let state = State::Readying { service, request: Some(request) };
        Self { state, watch: Watch::new(context, settings) }
    }

    pub(super) fn failed(error: Error, context: Context, settings: &DeadlineLayer) -> Self {
        let state = State::Failed { error: Some(error) };
        Self { state, watch: Watch::new(context, settings) }
    }

    /// A call that comes when its deadline has passed already.
    pub(super) fn too_late(context: Context, settings: &DeadlineLayer) -> Self {
        let watch = Watch::new(context, settings);
        let error = watch.passed(Delivery::NotSent);
        Self { state: State::Failed { error: Some(error) }, watch }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The work first, then the timer: an answer that is there is never thrown away.
        loop {
            match this.state.as_mut().project() {
                StateProjection::Readying { service, request } => {
                    let Poll::Ready(ready) = service.poll_ready(cx) else {
                        this.watch.context().state().set_queued(true);
                        break;
                    };
                    this.watch.context().state().set_queued(false);
                    if let Err(error) = ready {
                        let error = Some(Error::from_inner(error, None).unsent());
                        this.state.set(State::Failed { error });
                        continue;
                    }
                    this.watch.context().state().set_attempt_began(rt::now());
                    let request = request.take().expect("a request is sent once");
                    let future = service.call(request);
                    // Ready: the call goes on its way.
                    this.state.set(State::Calling { future });
                }
                StateProjection::Calling { future } => match future.poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(response)) => {
                        let watch = this.watch.as_mut().for_body(response.status());
                        let watched = |body| ResponseBody::new(body, watch);
                        return Poll::Ready(Ok(response.map(watched)));
                    }
                    Poll::Ready(Err(error)) => {
                        let error = Error::from_inner(error, Some(this.watch.context()));
                        return Poll::Ready(Err(this.watch.finish(error)));
                    }
                },
                StateProjection::Failed { error } => {
                    let error = error.take().expect("polled after it was ready");
                    this.watch.context().call().count_none();
                    let error = error.with_context(this.watch.context());
                    return Poll::Ready(Err(this.watch.finish(error)));
                }
            }
        }
        let delivery = match this.state.as_mut().project() {
            StateProjection::Readying { .. } | StateProjection::Failed { .. } => Delivery::NotSent,
            StateProjection::Calling { .. } => this.watch.context().state().delivery_if_cut(),
        };
        std::task::ready!(this.watch.as_mut().poll_due(cx));
        this.watch.context().state().set_cut(true);
        Poll::Ready(Err(this.watch.passed(delivery)))
    }
}

// === impl Watch ===

impl Watch {
    fn new(context: Context, settings: &DeadlineLayer) -> Self {
        let due = context.deadline();
        let (emitter, shares_timers) = (settings.emitter.for_call(), settings.shares_timers);
        let facts = Some(Facts { context, emitter, shares_timers });
        Self { timer: Timer::default(), due, facts }
    }

    pub(super) fn context(&self) -> &Context {
        &self.facts().context
    }

    fn facts(&self) -> &Facts {
        self.facts.as_ref().expect("the facts stay until there is a body")
    }

    /// Ready once the deadline has come.
    pub(super) fn poll_due(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut this = self.project();
        let (Some(due), Some(facts)) = (*this.due, this.facts) else {
            return Poll::Pending;
        };
        if facts.shares_timers && facts.context.call().is_timed() {
            // A timer further in ends no later and wakes the same task.
            this.timer.disarm();
            return Poll::Pending;
        }
        this.timer.as_mut().poll_at(due, cx)
    }

    /// Whether the deadline has come, by the clock.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_some_and(|due| rt::now() >= due)
    }

    /// The error of a call whose deadline has come.
    pub(super) fn passed(&self, delivery: Delivery) -> Error {
        let Facts { context, emitter, .. } = self.facts();
        let due = self.due.unwrap_or_else(|| context.started());
        let limit = due.saturating_duration_since(context.started());
        emitter.emit(Some(context), || Event::TimedOut { phase: Phase::Call, limit });
        let error = Error::timeout(Phase::Call, shown(limit), delivery);
        error.with_context(context).with_elapsed(context.elapsed())
    }

    fn finish(&self, error: Error) -> Error {
        error.with_elapsed(self.context().elapsed())
    }

    /// The watch for the body, which goes on under the same deadline.
    fn for_body(self: Pin<&mut Self>, status: StatusCode) -> Self {
        let this = self.project();
        let facts = this.facts.take();
        if let Some(facts) = &facts {
            facts.context.call().answered(status);
        }
        Self { timer: Timer::default(), due: *this.due, facts }
    }
}

/// A limit as it was set: an inherited deadline is a point in time, and its distance from the
/// call's start is no round number.
fn shown(limit: Duration) -> Duration {
    Duration::from_millis(limit.as_micros().div_ceil(1_000) as u64)
}
