use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::BulkheadLayer;
use super::state::{Permit, Ticket};
use crate::body::GuardedBody;
use crate::context::Context;
use crate::error::{BoxError, Error};
use crate::outcome::Rejection;
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
        /// There was no place, or none came free in time.
        Rejected { error: Option<Error> },
        /// Waiting for a place.
        Queued { #[pin] queued: Queued, service: Option<S>, ready: bool, request: Option<R> },
        /// In place; the inner service isn't ready yet.
        Readying { service: S, request: Option<R>, permit: Option<Permit> },
        /// The call is on its way.
        Calling { #[pin] future: F, permit: Option<Permit> },
    }
}

pin_project! {
    struct Queued {
        ticket: Ticket,
        #[pin]
        timer: Timer,
        due: Option<Instant>,
        context: Context,
        settings: Arc<BulkheadLayer>,
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn rejected(error: Error) -> Self {
        Self { state: State::Rejected { error: Some(error) } }
    }

    pub(super) fn calling(future: S::Future, permit: Option<Permit>) -> Self {
        Self { state: State::Calling { future, permit } }
    }

    pub(super) fn readying(service: S, request: Request<B>, permit: Option<Permit>) -> Self {
        Self { state: State::Readying { service, request: Some(request), permit } }
    }

    pub(super) fn queued(
        service: S,
        ready: bool,
        request: Request<B>,
        ticket: Ticket,
        context: Context,
        settings: Arc<BulkheadLayer>,
    ) -> Self {
        let due = settings.queue_wait.map(|limit| rt::after(rt::now(), limit));
        // Until it has a place; a call that is dropped before never left.
        context.call().set_queued(true);
        let queued = Queued { ticket, timer: Timer::default(), due, context, settings };
        let (service, request) = (Some(service), Some(request));
        Self { state: State::Queued { queued, service, ready, request } }
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
                StateProjection::Rejected { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Queued { queued, service, ready, request } => {
                    let permit = Some(ready!(queued.poll(cx))?);
                    let mut service = service.take().expect("a queued call has its service");
                    match *ready {
                        // A place: the instance that was ready all along is called.
                        true => {
                            let request = request.take().expect("a request is sent once");
                            State::Calling { future: service.call(request), permit }
                        }
                        false => State::Readying { service, request: request.take(), permit },
                    }
                }
                StateProjection::Readying { service, request, permit } => {
                    let ready = ready!(service.poll_ready(cx));
                    ready.map_err(|error| Error::from_inner(error, None).unsent())?;
                    let request = request.take().expect("a request is sent once");
                    State::Calling { future: service.call(request), permit: permit.take() }
                }
                StateProjection::Calling { future, permit } => {
                    // The place goes with the body, or is given back with the error.
                    return match future.poll(cx) {
                        Poll::Pending => Poll::Pending,
                        Poll::Ready(Ok(response)) => {
                            let permit = permit.take();
                            Poll::Ready(Ok(response.map(|body| GuardedBody::new(body, permit))))
                        }
                        Poll::Ready(Err(error)) => {
                            *permit = None;
                            Poll::Ready(Err(Error::from_inner(error, None)))
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
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Permit, Error>> {
        let this = self.project();
        if let Poll::Ready(permit) = this.ticket.poll(cx.waker()) {
            this.context.call().set_queued(false);
            return Poll::Ready(Ok(permit));
        }
        let Some(due) = *this.due else {
            return Poll::Pending;
        };
        ready!(this.timer.poll_at(due, cx));
        this.context.call().set_queued(false);
        Poll::Ready(Err(this.settings.reject(Rejection::QueueTimeout, this.context)))
    }
}
