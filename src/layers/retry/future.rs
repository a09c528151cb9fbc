use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Buf;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::policy::FailedAttempt;
use super::service::Shared;
use super::state::{Failure, Nature, Progress};
use super::steer::Retries;
use crate::body::ReplayBody;
use crate::context::Context;
use crate::error::{BoxError, Delivery, Error};
use crate::event::Event;
use crate::memory::Memory;
use crate::outcome::{Class, GaveUp, class_of_error, class_of_response, wait_of};
use crate::rt::{self, Timer};

pin_project! {
    /// A call with all its attempts.
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<ReplayBody<B>>>,
        S: Send,
        S: 'static,
        B: Body,
        B: Send,
        B: 'static,
    {
        #[pin]
        state: State<S, S::Future, R>,
        call: Call<S, B>,
    }

    impl<S, B, R> PinnedDrop for ResponseFuture<S, B, R>
    where
        S: Service<Request<ReplayBody<B>>>,
        S: Send,
        S: 'static,
        B: Body,
        B: Send,
        B: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            this.project().call.forget();
        }
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R> {
        /// An attempt is on its way.
        Calling { #[pin] future: F },
        /// Waiting for the next attempt, while the failed answer's body is read off.
        Waiting { #[pin] timer: Timer, until: Instant, #[pin] drain: Drain<R> },
        /// The wait is over; the inner service isn't ready yet. It is here, and not in the memory,
        /// because what it holds meanwhile (a place in a queue) must go when the call does.
        Readying { service: Option<S> },
    }
}

pin_project! {
    /// Reads a body that nobody wants, up to a cap.
    struct Drain<R> {
        #[pin]
        body: Option<R>,
        left: usize,
    }
}

/// What stays the same from attempt to attempt.
struct Call<S, B> {
    /// Present until the end.
    memory: Option<Box<Memory<S, B>>>,
    shared: Arc<Shared>,
    context: Context,
    nature: Nature,
    progress: Progress,
}

/// What to do with a result.
#[derive(Clone, Copy)]
enum Next {
    /// Wait, and try again.
    Again(Duration),
    /// It is the last: a success, or a failure that is given up on.
    Return(Option<GaveUp>),
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>> + Send + 'static,
    B: Body + Send + 'static,
{
    pub(super) fn new(
        first: S::Future,
        memory: Box<Memory<S, B>>,
        shared: Arc<Shared>,
        context: Context,
        nature: Nature,
    ) -> Self {
        let progress = Progress::first();
        let call = Call { memory: Some(memory), shared, context, nature, progress };
        Self { state: State::Calling { future: first }, call }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future } => match future.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(mut response)) => {
                        match this.call.judge_response(&mut response) {
                            Next::Return(_) => return Poll::Ready(Ok(response)),
                            Next::Again(delay) => this.call.wait(delay, Some(response.into_body())),
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        let error = Error::from_inner(error, Some(&this.call.context));
                        match this.call.judge_error(&error) {
                            Next::Again(delay) => this.call.wait(delay, None),
                            Next::Return(why) => {
                                return Poll::Ready(Err(this.call.finish(error, why)));
                            }
                        }
                    }
                },
                StateProjection::Waiting { timer, until, mut drain } => {
                    drain.as_mut().poll(cx);
                    ready!(timer.poll_at(*until, cx));
                    // The wait is over: the rest of the body isn't waited for.
                    State::Readying { service: this.call.take_service() }
                }
                StateProjection::Readying { service } => {
                    // The first attempt used the readied instance; this one polls its own.
                    let own = service.as_mut().expect("a waiting call has its service");
                    if let Err(error) = ready!(own.poll_ready(cx)) {
                        let error = Error::from_inner(error, Some(&this.call.context)).unsent();
                        let why = Some(GaveUp::NotRetryable);
                        return Poll::Ready(Err(this.call.finish(error, why)));
                    }
                    if let Some(refusal) = this.call.context.refusal() {
                        // Somebody stopped the integration while readiness was waited for.
                        let why = Some(GaveUp::Stopped);
                        return Poll::Ready(Err(this.call.finish(refusal, why)));
                    }
                    match this.call.send(service) {
                        Some(future) => State::Calling { future },
                        None => {
                            let error = Error::new(crate::ErrorKind::Request, Delivery::NotSent);
                            let why = Some(GaveUp::BodyNotKept);
                            return Poll::Ready(Err(this.call.finish(error, why)));
                        }
                    }
                }
            };
            // The ended attempt is dropped here, and may ask how it ended.
            this.state.set(next);
            this.call.context.call().set_cut(false);
        }
    }
}

// === impl Call ===

impl<S, B> Call<S, B>
where
    S: Send + 'static,
    B: Body + Send + 'static,
{
    /// Gives the room back.
    fn forget(&mut self) {
        if let Some(mut memory) = self.memory.take() {
            memory.clear();
            self.shared.memories.give(memory);
        }
    }

    fn take_service(&mut self) -> Option<S> {
        self.memory.as_mut()?.service.take()
    }

    /// What to do with a response; notes on it what it took, if it is the last.
    fn judge_response<R>(&mut self, response: &mut Response<R>) -> Next {
        let settings = &self.shared.settings;
        self.context.call().answered(response.status());
        let class = class_of_response(&settings.classifier, response);
        if class.is_success() {
            self.annotate(response, None);
            return Next::Return(None);
        }
        let asked = wait_of(&settings.classifier, class, response, &settings.clock);
        let (status, delivery) = (Some(response.status()), Delivery::Answered);
        let next = self.next(class, status, delivery, None, asked);
        if let Next::Return(why) = next {
            self.annotate(response, why);
        }
        next
    }

    fn judge_error(&mut self, error: &Error) -> Next {
        let class = class_of_error(&self.shared.settings.classifier, error);
        self.next(class, None, error.delivery(), Some(error), error.retry_after())
    }

    fn next(
        &mut self,
        class: Class,
        status: Option<StatusCode>,
        delivery: Delivery,
        error: Option<&Error>,
        retry_after: Option<Duration>,
    ) -> Next {
        let key = self.context.call().key.get();
        let attempt = self.progress.attempts;
        let failed = FailedAttempt {
            class,
            status,
            error,
            attempt: attempt + self.context.call().hedges(),
            keyed: self.nature.keyed,
            key_from_caller: key.is_none_or(|key| key.from_caller),
        };
        let body_kept = self.memory.as_ref().is_some_and(|memory| memory.body.is_kept());
        let settings = &self.shared.settings;
        let wanted = settings.policy.wants(&failed);
        let (shut, stopped) = (self.context.call().is_shut(), !self.context.call().may_repeat());
        let failure =
            Failure { class, status, delivery, wanted, retry_after, body_kept, shut, stopped };
        if class.is_local() && delivery == Delivery::NotSent {
            // Nothing went out: it was no attempt.
            self.progress.attempts -= 1;
        }
        self.context.call().count_attempts(self.progress.attempts);
        self.context.call().worsen(delivery);
        let (now, rng) = (rt::now(), &settings.rng);
        let decision = self.progress.decide(
            &settings.config,
            &settings.budget,
            &self.nature,
            &failure,
            now,
            rng,
        );
        let attempts = self.progress.attempts;
        let emitter = &settings.emitter;
        match decision {
            Ok(delay) => {
                emitter.emit(Some(&self.context), || Event::RetryScheduled {
                    attempt,
                    class,
                    delay,
                });
                Next::Again(delay)
            }
            Err(why) => {
                emitter.emit(Some(&self.context), || Event::RetryGaveUp { attempts, class, why });
                Next::Return(Some(why))
            }
        }
    }

    fn wait<F, R>(&mut self, delay: Duration, body: Option<R>) -> State<S, F, R> {
        self.progress.waited += delay;
        self.context.call().set_held(true);
        let until = rt::after(rt::now(), delay);
        let drain = Drain { body, left: self.shared.settings.config.drain_cap };
        State::Waiting { timer: Timer::default(), until, drain }
    }

    /// Notes on a response what it took.
    fn annotate<R>(&self, response: &mut Response<R>, gave_up: Option<GaveUp>) {
        let Progress { attempts, waited, .. } = self.progress;
        let attempts = attempts + self.context.call().hedges();
        if attempts > 1 || gave_up.is_some() {
            response.extensions_mut().insert(Retries { attempts, waited, gave_up });
        }
    }

    /// Notes on an error what it took, and the worst that may have happened on the way.
    fn finish(&self, error: Error, why: Option<GaveUp>) -> Error {
        let error = error.with_context(&self.context).with_elapsed(self.context.elapsed());
        error.worsen(self.context.call().delivery()).with_gave_up(why)
    }
}

impl<S, B> Call<S, B>
where
    S: Service<Request<ReplayBody<B>>>,
    B: Body,
{
    /// Sends the next attempt by the readied service, and keeps that for the one after; `None` if
    /// the body was lost meanwhile.
    fn send(&mut self, readied: &mut Option<S>) -> Option<S::Future> {
        let memory = self.memory.as_mut()?;
        let hedges = self.context.call().hedges();
        let request = memory.recall(&self.context, self.progress.attempts + 1 + hedges)?;
        self.progress.attempts += 1;
        self.context.call().count_attempts(self.progress.attempts);
        self.context.call().set_held(false);
        self.context.call().set_shut(false);
        self.context.call().begin_attempt(rt::now());
        let service = memory.service.insert(readied.take()?);
        Some(service.call(request))
    }
}

// === impl Drain ===

impl<R: Body> Drain<R> {
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            match body.poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) => {
                    let size = frame.data_ref().map_or(0, Buf::remaining);
                    match this.left.checked_sub(size) {
                        Some(left) => *this.left = left,
                        None => this.body.set(None),
                    }
                }
                Poll::Ready(Some(Err(_)) | None) => this.body.set(None),
            }
        }
    }
}
