use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::injection::{Ending, Rehearsed};
use super::layer::RehearsalLayer;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::{BoxError, Error, ErrorKind};
use crate::rt::{self, Timer};
use crate::terms::{Delivery, Fault, InjectedFault};

pin_project! {
    /// A call, with the fault that it gets.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, Request<B>>,
        // Absent where nothing is injected.
        run: Option<Run>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R> {
        /// The request can't be sent as it is.
        Refused { error: Option<Error> },
        /// Waiting out the latency.
        Late { #[pin] timer: Timer, due: Instant, next: Option<Next<S, R>> },
        /// The call ends here.
        Made { ending: Option<Ending> },
        /// It will never end.
        Hanging,
        /// The request is on its way.
        Sent { #[pin] future: F },
    }
}

/// What follows the latency, if there is any.
pub(super) enum Next<S, R> {
    Make(Ending),
    Send(S, R),
}

/// One call's rehearsal.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) slow_body: Option<Duration>,
    pub(super) context: Context,
    pub(super) settings: Arc<RehearsalLayer>,
}

// === impl ResponseFuture ===

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn refused(error: Error) -> Self {
        Self { state: State::Refused { error: Some(error) }, run: None }
    }

    pub(super) fn sent(future: S::Future, run: Option<Run>) -> Self {
        Self { state: State::Sent { future }, run }
    }

    pub(super) fn next(next: Next<S, Request<B>>, run: Run) -> Self {
        Self { state: State::after(next), run: Some(run) }
    }

    pub(super) fn late(latency: Duration, next: Next<S, Request<B>>, run: Run) -> Self {
        let due = rt::after(rt::now(), latency);
        let state = State::Late { timer: Timer::default(), due, next: Some(next) };
        Self { state, run: Some(run) }
    }
}

impl<S: Service<R>, R> State<S, S::Future, R> {
    fn after(next: Next<S, R>) -> Self {
        match next {
            Next::Make(ending) => Self::Made { ending: Some(ending) },
            Next::Send(mut service, request) => Self::Sent { future: service.call(request) },
        }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body<Data = Bytes>,
    ResBody::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Refused { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Late { timer, due, next } => {
                    ready!(timer.poll_at(*due, cx));
                    // Late enough: sent, or ended here.
                    State::after(next.take().expect("a request is sent once"))
                }
                StateProjection::Made { ending } => {
                    let ending = ending.take().expect("polled after it was ready");
                    let run = this.run.as_mut().expect("what was made has its rehearsal");
                    run.tell(ending.fault());
                    match run.make(ending) {
                        Some(result) => return Poll::Ready(result),
                        None => State::Hanging,
                    }
                }
                // Nobody will wake this; whoever set a limit wakes itself.
                StateProjection::Hanging => return Poll::Pending,
                StateProjection::Sent { future } => {
                    let result = ready!(future.poll(cx));
                    return Poll::Ready(received(result, this.run.take()));
                }
            };
            this.state.set(next);
        }
    }
}

// === impl Run ===

impl Run {
    pub(super) fn tell(&self, fault: InjectedFault) {
        self.settings.switch.count();
        self.settings.emitter.emit(Some(&self.context), || Event::Rehearsed { fault });
    }

    /// The end without the provider; none where there isn't one.
    fn make<B>(&mut self, ending: Ending) -> Option<Result<Response<ResponseBody<B>>, Error>> {
        let fault = ending.fault();
        let mut response = Response::new(Bytes::new());
        match ending {
            Ending::Hang => return None,
            Ending::Reset => return Some(Err(self.reset())),
            Ending::Status(status) => *response.status_mut() = status,
            Ending::Answer { body, content_type } => {
                response.headers_mut().insert(CONTENT_TYPE, content_type);
                *response.body_mut() = body;
            }
        }
        response.extensions_mut().insert(Rehearsed { fault });
        let pause = self.pause(response.body().is_empty());
        Some(Ok(response.map(|bytes| ResponseBody::made(bytes, pause))))
    }

    /// As a real one, of which nobody knows how far the request came.
    fn reset(&self) -> Error {
        Error::new(ErrorKind::Transport(Fault::Reset), Delivery::Unknown)
            .with_detail("rehearsed")
            .with_context(&self.context)
            .with_elapsed(self.context.elapsed())
    }

    /// The pause before each frame; an empty body has none to be slow with.
    fn pause(&mut self, is_empty: bool) -> Option<Duration> {
        let pause = self.slow_body.take().filter(|_| !is_empty)?;
        self.tell(InjectedFault::SlowBody);
        Some(pause)
    }
}

/// The provider's own result, its body slow if that is asked for.
fn received<B: Body, E: Into<BoxError>>(
    result: Result<Response<B>, E>,
    run: Option<Run>,
) -> Result<Response<ResponseBody<B>>, Error> {
    let response =
        result.map_err(|error| Error::from_inner(error, run.as_ref().map(|run| &run.context)))?;
    let pause = run.and_then(|mut run| run.pause(response.body().is_end_stream()));
    Ok(response.map(|body| ResponseBody::real(body, pause)))
}
