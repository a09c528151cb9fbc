use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::awaiting::Awaiting;
use super::config::EmptyBudget;
use super::drain::Drain;
use super::policy::{FailedAttempt, RetryPolicy, StandardPolicy};
use super::service::Shared;
use super::state::{Failure, Nature, Progress, Step};
use crate::body::KeptBody;
use crate::context::{Context, Retries};
use crate::event::Event;
use crate::outcome::{BoxError, Error, LeftAlone, class_of_error, class_of_response, wait_of};
use crate::replay::budget::{CallUnderWay, Pass};
use crate::replay::{Memory, ReplayBody};
use crate::rt::{self, Timer, callback};
use crate::terms::{Class, Delivery, GaveUp};

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
        R: Body,
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
        R: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            this.project().call.forget();
        }
    }
}

pin_project! {
    #[project = StateProjection]
    pub(super) enum State<S, F, R>
    where
        R: Body,
    {
        /// An attempt is on its way.
        Calling { #[pin] future: F },
        /// Waiting for the next attempt, while the failed answer's body is read off.
        Waiting { #[pin] timer: Timer, until: Instant, #[pin] drain: Drain<R> },
        /// Waiting until the budget holds a retry. Boxed: few calls do, and every one would carry the
        /// room.
        Awaiting { #[pin] timer: Timer, awaiting: Option<Box<Awaiting<R>>> },
        /// The wait is over; the inner service isn't ready yet. It is here, and not in the memory,
        /// because what it holds meanwhile (a place in a queue) must go when the call does.
        Readying { service: Option<S> },
    }
}

/// What stays the same from attempt to attempt.
pub(super) struct Call<S, B> {
    /// Present until the end.
    memory: Option<Box<Memory<S, B>>>,
    pub(super) shared: Arc<Shared>,
    pub(super) context: Context,
    pub(super) nature: Nature,
    pub(super) progress: Progress,
    /// The call, as far as its budget counts what is under way; absent once it is over.
    under_way: Option<CallUnderWay>,
    /// What the retry that is under way costs.
    pub(super) pass: Option<Pass>,
}

/// What to do with a result.
#[derive(Clone, Copy)]
enum Next {
    /// Wait, and try again.
    Again(Duration),
    /// Wait, and try again when the budget holds a retry.
    Await { delay: Duration, class: Class },
    /// It is the last: a success, or a failure that is given up on.
    Return(Option<GaveUp>),
}

/// What an attempt came to, which was no success.
struct Outcome<'a> {
    class: Class,
    delivery: Delivery,
    /// What is known of a request that went beside it.
    beside: Option<Delivery>,
    /// The provider said that it left the request alone, and no other went out for the attempt.
    left_alone: bool,
    retry_after: Option<Duration>,
    /// The answer's status, and how large it is, where that is known.
    answer: Option<(StatusCode, Option<u64>)>,
    headers: Option<&'a HeaderMap>,
    error: Option<&'a Error>,
}

/// Whether the budget held the next attempt, which follows after so long.
#[derive(Clone, Copy)]
enum Paid {
    Now(Duration),
    Later(Duration),
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>> + Send + 'static,
    B: Body + Send + 'static,
    R: Body,
{
    pub(super) fn new(
        first: S::Future,
        memory: Box<Memory<S, B>>,
        shared: Arc<Shared>,
        context: Context,
        nature: Nature,
        under_way: CallUnderWay,
    ) -> Self {
        let (memory, progress) = (Some(memory), Progress::first());
        let under_way = Some(under_way);
        let call = Call { memory, shared, context, nature, progress, under_way, pass: None };
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
    type Output = Result<Response<KeptBody<R>>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let output = ready!(self.as_mut().poll_attempts(cx));
        let call = self.project().call;
        (call.under_way, call.pass) = (None, None);
        Poll::Ready(output)
    }
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + Unpin + 'static,
    R: Body,
{
    fn poll_attempts(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Result<Response<KeptBody<R>>, Error>> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Calling { future } => match future.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(mut response)) => {
                        match this.call.judge_response(&mut response) {
                            Next::Return(_) => {
                                return Poll::Ready(Ok(response.map(KeptBody::live)));
                            }
                            Next::Again(delay) => this.call.wait(delay, Some(response.into_body())),
                            Next::Await { delay, class } => {
                                this.call.hold(delay, class, Ok(response))
                            }
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        let error = Error::from_inner(error, Some(&this.call.context));
                        match this.call.judge_error(&error) {
                            Next::Again(delay) => this.call.wait(delay, None),
                            Next::Await { delay, class } => {
                                this.call.hold(delay, class, Err(error))
                            }
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
                StateProjection::Awaiting { timer, awaiting } => {
                    if let Some(output) = ready!(this.call.poll_turn(timer, awaiting, cx)) {
                        return Poll::Ready(output);
                    }
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
            this.call.context.state().set_cut(false);
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
    fn judge_response<R: Body>(&mut self, response: &mut Response<R>) -> Next {
        self.pass = None;
        let settings = &self.shared.settings;
        self.context.call().answered(response.status());
        let class = class_of_response(&settings.classifier, response);
        if class.is_success() {
            self.shared.refusals.note(class);
            self.annotate(response, None);
            return Next::Return(None);
        }
        let asked = wait_of(&settings.classifier, class, response, &settings.clock);
        let next = self.next(&Outcome {
            class,
            delivery: Delivery::Answered,
            beside: Retries::left_behind(response.extensions()),
            left_alone: self.is_left_alone(response),
            retry_after: asked,
            answer: Some((response.status(), response.body().size_hint().exact())),
            headers: Some(response.headers()),
            error: None,
        });
        if let Next::Return(why) = next {
            self.annotate(response, why);
        }
        next
    }

    fn judge_error(&mut self, error: &Error) -> Next {
        self.pass = None;
        self.next(&Outcome {
            class: class_of_error(&self.shared.settings.classifier, error),
            delivery: error.delivery(),
            beside: None,
            left_alone: false,
            retry_after: error.retry_after(),
            answer: None,
            headers: None,
            error: Some(error),
        })
    }

    /// Whether the answer is a client's word that the provider left the attempt alone: it is of this
    /// call, and of the one request that went out.
    fn is_left_alone<R>(&self, response: &Response<R>) -> bool {
        let said = response.extensions().get::<LeftAlone>();
        said.is_some_and(|said| said.0 == self.context.call_id()) && self.context.handed_over() == 1
    }

    /// Whether the policy thinks that another attempt could be better.
    fn is_wanted(&self, outcome: &Outcome<'_>, is_same_again: bool) -> bool {
        let call = self.context.call();
        let (memory, other) = (self.memory.as_ref(), Method::GET);
        let failed = FailedAttempt {
            class: outcome.class,
            status: outcome.answer.map(|(status, _)| status),
            headers: outcome.headers,
            error: outcome.error,
            method: memory.and_then(|memory| memory.method()).unwrap_or(&other),
            sent: memory.map_or(&[], |memory| memory.headers()),
            attempt: self.progress.attempts + call.hedges(),
            keyed: self.nature.keyed,
            key_from_caller: call.key.get().is_none_or(|key| key.from_caller),
            is_same_again,
        };
        let wanted = || self.shared.settings.policy.wants(&failed);
        callback::call("retry policy", wanted)
            .unwrap_or_else(|| StandardPolicy::new().wants(&failed))
    }

    fn next(&mut self, outcome: &Outcome<'_>) -> Next {
        let Outcome { class, delivery, left_alone, retry_after, .. } = *outcome;
        let attempt = self.progress.attempts;
        let is_same_again = self.progress.compare(outcome.answer);
        let status = outcome.answer.map(|(status, _)| status);
        let body_kept = self.memory.as_ref().is_some_and(|memory| memory.body.is_kept());
        let settings = &self.shared.settings;
        let wanted = self.is_wanted(outcome, is_same_again);
        let others_answered = self.shared.refusals.note(class);
        let (shut, stopped) = (self.context.state().is_shut(), !self.context.call().may_repeat());
        let failure = Failure {
            class,
            status,
            delivery,
            left_alone,
            wanted,
            retry_after,
            body_kept,
            others_answered,
            shut,
            stopped,
        };
        if class.is_local() && delivery == Delivery::NotSent {
            // Nothing went out: it was no attempt.
            self.progress.attempts -= 1;
        }
        self.context.call().count_attempts(self.progress.attempts);
        self.context.state().worsen(delivery);
        self.progress.end(delivery, outcome.beside);
        let now = rt::now();
        let config = &settings.config;
        let decision = self.progress.decide(config, &self.nature, &failure, now, &settings.rng);
        let next = decision.and_then(|step| self.pay(step, now));
        let attempts = self.progress.attempts;
        self.shared.settings.emitter.emit(Some(&self.context), || match next {
            Ok(Paid::Now(delay)) => Event::RetryScheduled { attempt, class, delay },
            Ok(Paid::Later(_)) => Event::RetryAwaitsBudget { attempt, class },
            Err(why) => Event::RetryGaveUp { attempts, class, why },
        });
        match next {
            Ok(Paid::Now(delay)) => Next::Again(delay),
            Ok(Paid::Later(delay)) => Next::Await { delay, class },
            Err(why) => Next::Return(Some(why)),
        }
    }

    /// Pays for the next attempt, as far as it costs anything.
    fn pay(&mut self, step: Step, now: Instant) -> Result<Paid, GaveUp> {
        let settings = &self.shared.settings;
        if !step.is_free {
            self.pass = settings.budget.withdraw(now);
        }
        match settings.config.when_budget_is_empty {
            _ if step.is_free || self.pass.is_some() => Ok(Paid::Now(step.delay)),
            EmptyBudget::Wait => Ok(Paid::Later(step.delay)),
            EmptyBudget::Fail => Err(GaveUp::Budget),
        }
    }

    fn wait<F, R: Body>(&mut self, delay: Duration, body: Option<R>) -> State<S, F, R> {
        self.progress.waited += delay;
        self.context.state().set_held(true);
        let until = rt::after(rt::now(), delay);
        let drain = Drain::new(body, self.shared.settings.config.drain_cap);
        State::Waiting { timer: Timer::default(), until, drain }
    }

    /// Notes on a response what it took.
    pub(super) fn annotate<R>(&self, response: &mut Response<R>, gave_up: Option<GaveUp>) {
        let Progress { attempts, waited, .. } = self.progress;
        let call = self.context.call();
        call.set_waited(waited);
        let attempts = attempts + call.hedges();
        if attempts > 1 || gave_up.is_some() {
            let earlier = self.progress.earlier(Retries::left_behind(response.extensions()));
            let retries = Retries { attempts, waited, gave_up, earlier };
            response.extensions_mut().insert(retries);
        }
    }

    /// Notes on an error what it took, and the worst that may have happened on the way.
    pub(super) fn finish(&self, error: Error, why: Option<GaveUp>) -> Error {
        self.context.call().set_waited(self.progress.waited);
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
        self.context = self.context.clone().begun_now();
        let request = memory.recall(&self.context, self.progress.attempts + 1 + hedges)?;
        self.progress.begin();
        self.context.call().count_attempts(self.progress.attempts);
        self.context.state().set_held(false);
        self.context.state().set_shut(false);
        self.context.state().begin_attempt(rt::now());
        let service = memory.service.insert(readied.take()?);
        Some(service.call(request))
    }
}
