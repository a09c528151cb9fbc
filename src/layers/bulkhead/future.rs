use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::BulkheadLayer;
use super::places::Permit;
use super::queue::{Shed, Ticket};
use super::service::Refusal;
use super::watch::Watch;
use crate::body::GuardedBody;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error};
use crate::rt::{self, Timer};

pin_project! {
    /// A call in its place, or on the way to it.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, Request<B>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R> {
        /// There was no place, or none came free in time, or the inner service can't become ready.
        Failed { error: Option<Error> },
        /// Waiting for a place.
        Queued { #[pin] queued: Queued, held: Option<(S, R)> },
        /// In place; the inner service isn't ready yet.
        Readying {
            service: S,
            request: Option<R>,
            permit: Option<Permit>,
            settings: Arc<BulkheadLayer>,
        },
        /// The call is on its way.
        Calling { #[pin] future: F, permit: Option<Permit>, watch: Option<Watch> },
    }
}

pin_project! {
    /// A call that waits for its place.
    pub(super) struct Queued {
        ticket: Ticket,
        #[pin]
        timer: Timer,
        due: Option<Due>,
        came: Instant,
        context: Context,
        settings: Arc<BulkheadLayer>,
    }
}

/// When a wait is over, and how long it was then.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    waited: Duration,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn rejected(error: Error) -> Self {
        Self { state: State::Failed { error: Some(error) } }
    }

    pub(super) fn calling(future: S::Future, permit: Option<Permit>, watch: Option<Watch>) -> Self {
        Self { state: State::Calling { future, permit, watch } }
    }

    pub(super) fn readying(
        service: S,
        request: Request<B>,
        permit: Option<Permit>,
        settings: Arc<BulkheadLayer>,
    ) -> Self {
        Self { state: State::Readying { service, request: Some(request), permit, settings } }
    }

    pub(super) fn queued(service: S, request: Request<B>, queued: Queued) -> Self {
        Self { state: State::Queued { queued, held: Some((service, request)) } }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body,
{
    type Output = Result<Response<GuardedBody<ResBody, Permit>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Failed { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Queued { mut queued, held } => {
                    match ready!(queued.as_mut().poll(cx)) {
                        // It leaves the queue at once, not when the caller drops the call.
                        Err(error) => State::Failed { error: Some(error) },
                        // A place: the inner service is asked whether it is ready.
                        Ok(permit) => {
                            let (service, request) = held.take().expect("a request is sent once");
                            let settings = Arc::clone(queued.project().settings);
                            let (request, permit) = (Some(request), Some(permit));
                            State::Readying { service, request, permit, settings }
                        }
                    }
                }
                StateProjection::Readying { service, request, permit, settings } => {
                    match ready!(service.poll_ready(cx)) {
                        // The place is given back at once.
                        Err(error) => {
                            let error = Error::unready(error, request.as_ref());
                            State::Failed { error: Some(error) }
                        }
                        Ok(()) => call(service, request, permit.take(), settings),
                    }
                }
                StateProjection::Calling { future, permit, watch } => {
                    // The place goes with the body, or is given back with the error.
                    return match future.poll(cx) {
                        Poll::Pending => Poll::Pending,
                        Poll::Ready(Ok(mut response)) => {
                            if let Some(watch) = watch.take() {
                                watch.answered(&mut response);
                            }
                            let permit = permit.take();
                            Poll::Ready(Ok(response.map(|body| GuardedBody::new(body, permit))))
                        }
                        Poll::Ready(Err(error)) => {
                            let error = Error::from_inner(error, None);
                            if let Some(watch) = watch.take() {
                                watch.failed(&error);
                            }
                            *permit = None;
                            Poll::Ready(Err(error))
                        }
                    };
                }
            };
            this.state.set(next);
        }
    }
}

// === impl Queued ===

impl Queued {
    pub(super) fn new(ticket: Ticket, context: Context, settings: Arc<BulkheadLayer>) -> Self {
        let came = rt::now();
        let latest = context.latest_start(came, settings.attempt);
        let patience = latest.map(|latest| latest.saturating_duration_since(came));
        let wait = settings.queue_wait.get().into_iter().chain(patience).min();
        let due = wait.map(|waited| Due { at: rt::after(came, waited), waited });
        // Until it has a place; a call that is dropped before never left.
        context.state().set_queued(true);
        Self { ticket, timer: Timer::default(), due, came, context, settings }
    }

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Permit, Error>> {
        let this = self.project();
        let refusal = match this.ticket.poll(cx.waker()) {
            Poll::Ready(Ok(permit)) => {
                if let Some(refusal) = this.context.refusal() {
                    // Somebody stopped the integration meanwhile: the place is for others.
                    this.context.state().set_queued(false);
                    return Poll::Ready(Err(refusal));
                }
                // Whether the provider is slow is judged from here.
                let now = rt::now();
                this.context.state().set_attempt_began(now);
                this.context.state().set_queued(false);
                let waited = now.saturating_duration_since(*this.came);
                let admitted = || Event::BulkheadAdmitted { waited };
                this.settings.emitter.emit(Some(this.context), admitted);
                return Poll::Ready(Ok(permit));
            }
            Poll::Ready(Err(Shed)) => Refusal::Shed,
            Poll::Pending => {
                let Some(due) = *this.due else { return Poll::Pending };
                ready!(this.timer.poll_at(due.at, cx));
                Refusal::Late(due.waited)
            }
        };
        this.context.state().set_queued(false);
        Poll::Ready(Err(this.settings.refuse(refusal, this.context)))
    }
}

/// Ready, and in its place: the call goes on its way.
fn call<S, B>(
    service: &mut S,
    request: &mut Option<Request<B>>,
    permit: Option<Permit>,
    settings: &Arc<BulkheadLayer>,
) -> State<S, S::Future, Request<B>>
where
    S: Service<Request<B>>,
{
    let mut request = request.take().expect("a request is sent once");
    let watch = Watch::begin(settings, &mut request);
    State::Calling { future: service.call(request), permit, watch }
}
