use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::After;
use super::second::Second;
use super::service::Shared;
use crate::context::{Context, Retries};
use crate::event::Event;
use crate::outcome::{BoxError, Error, class_of_error, class_of_response};
use crate::replay::budget::CallUnderWay;
use crate::replay::{Memory, ReplayBody};
use crate::rt::{self, Timer};
use crate::terms::{Class, Delivery};

pin_project! {
    /// A request, and perhaps a second one beside it.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<ReplayBody<B>>>,
        S: Send,
        S: 'static,
        B: Body,
        B: Send,
        B: 'static,
    {
        // Absent once it is over.
        #[pin]
        first: Option<S::Future>,
        // Absent where there are no second requests.
        plan: Option<Plan<S, B>>,
        // What the first came to, where the second may do better. Boxed, like the second: few calls
        // have them, and every call would carry the room.
        failed: Option<Box<Result<S::Response, Error>>>,
        second: Option<Pin<Box<Second<S, B>>>>,
    }

    impl<S, B> PinnedDrop for ResponseFuture<S, B>
    where
        S: Service<Request<ReplayBody<B>>>,
        S: Send,
        S: 'static,
        B: Body,
        B: Send,
        B: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            if let Some(plan) = this.project().plan {
                plan.forget();
            }
        }
    }
}

/// What is needed to send a second request.
pub(super) struct Plan<S, B> {
    context: Context,
    shared: Arc<Shared>,
    /// The request changes nothing (RFC 9110, 9.2.1).
    safe: bool,
    /// When the first has taken too long; absent once that was decided on.
    delay: Option<Duration>,
    /// A second request went out.
    doubled: bool,
    /// What is known of it, once it is over.
    second: Option<Delivery>,
    memory: Option<Box<Memory<S, B>>>,
    /// The call itself, where calls under way are counted and no retry layer does.
    _under_way: Option<CallUnderWay>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<ReplayBody<B>>> + Send + 'static,
    B: Body + Send + 'static,
{
    pub(super) fn plain(first: S::Future) -> Self {
        Self::new(first, None)
    }

    pub(super) fn planned(first: S::Future, plan: Plan<S, B>) -> Self {
        Self::new(first, Some(plan))
    }

    fn new(first: S::Future, plan: Option<Plan<S, B>>) -> Self {
        Self { first: Some(first), plan, failed: None, second: None }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>> + Send + 'static,
    S::Error: Into<BoxError>,
    B: Body + Send + Unpin + 'static,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(first) = this.first.as_mut().as_pin_mut()
            && let Poll::Ready(result) = first.poll(cx)
        {
            let Some(plan) = this.plan.as_ref() else {
                return Poll::Ready(result.map_err(|error| Error::from_inner(error, None)));
            };
            let mut result = result.map_err(|error| Error::from_inner(error, Some(&plan.context)));
            let is_good = plan.judge(&mut result);
            match this.second.take() {
                None => return Poll::Ready(plan.settle(result)),
                Some(second) if is_good => {
                    let lost = second.lose();
                    plan.finish(false);
                    return Poll::Ready(plan.noted(result, lost));
                }
                second => *this.second = second,
            }
            // A bad answer is kept: the second may bring a better one.
            *this.failed = Some(Box::new(result));
            this.first.set(None);
            // What cut the first has nothing to do with the second.
            plan.context.state().set_cut(false);
        }
        let Some(plan) = this.plan.as_mut() else {
            return Poll::Pending;
        };
        loop {
            if let Some(second) = this.second.as_mut() {
                let Poll::Ready(mut result) = second.as_mut().poll(cx) else {
                    return Poll::Pending;
                };
                let is_good = plan.is_good(plan.class(&mut result));
                if let Some(second) = this.second.take() {
                    plan.second = Some(second.end(plan.context.call(), &result));
                }
                if let (true, Ok(response)) = (is_good, &result) {
                    let failed = this.failed.take().map(|first| delivery(&first));
                    plan.won(response, failed);
                    // The first is dropped knowing that it lost, and so is what it came to.
                    this.first.set(None);
                    plan.context.state().set_overtaken(false);
                    return Poll::Ready(plan.noted(result, failed.unwrap_or(Delivery::Unknown)));
                }
                if let Some(first) = this.failed.take() {
                    return Poll::Ready(plan.settle(*first));
                }
                // The first may still do better.
                return Poll::Pending;
            }
            std::task::ready!(plan.poll_due(cx));
            *this.second = plan.send_second(rt::now()).map(Box::pin);
        }
    }
}

// === impl Plan ===

impl<S, B> Plan<S, B>
where
    S: Send + 'static,
    B: Body + Send + 'static,
{
    pub(super) fn new(
        context: Context,
        shared: Arc<Shared>,
        safe: bool,
        delay: Option<Duration>,
        memory: Option<Box<Memory<S, B>>>,
        under_way: Option<CallUnderWay>,
    ) -> Self {
        let (doubled, second, _under_way) = (false, None, under_way);
        Self { context, shared, safe, delay, doubled, second, memory, _under_way }
    }

    fn forget(&mut self) {
        if let Some(mut memory) = self.memory.take() {
            memory.clear();
            self.shared.memories.give(memory);
        }
    }
}

impl<S, B> Plan<S, B> {
    /// Ready when the second request goes out, counted from when the first one left.
    fn poll_due(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let (Some(delay), Some(memory)) = (self.delay, &mut self.memory) else {
            return Poll::Pending;
        };
        let due = rt::after(self.context.state().attempt_began(), delay);
        memory.timer.get_or_insert_with(|| Box::pin(Timer::default())).as_mut().poll_at(due, cx)
    }

    /// Whether the first's result is good; what it tells of times is learned.
    fn judge<R>(&self, result: &mut Result<Response<R>, Error>) -> bool {
        let class = self.class(result);
        if class.is_verdict() || result.as_ref().is_err_and(Error::is_timeout) {
            self.learn();
        }
        self.is_good(class)
    }

    fn class<R>(&self, result: &mut Result<Response<R>, Error>) -> Class {
        let classifier = &self.shared.settings.classifier;
        match result {
            Ok(response) => class_of_response(classifier, response),
            Err(error) => class_of_error(classifier, error),
        }
    }

    /// Whether nothing better can come of the other request.
    ///
    /// What the provider refuses for our fault, it would refuse again. But where the two requests
    /// change something, one may be refused because of the other, which is being carried out.
    fn is_good(&self, class: Class) -> bool {
        class.is_success() || self.safe && class.is_verdict()
    }

    /// The first took so long, or at least so long.
    fn learn(&self) {
        if let After::Quantile(_, learned) = &self.shared.settings.after {
            let now = rt::now();
            let began = self.context.state().attempt_began();
            learned.record(now.saturating_duration_since(began), now);
        }
    }

    /// The second was answered well; the first had failed, or was overtaken.
    fn won<R>(&self, response: &Response<R>, failed: Option<Delivery>) {
        self.shared.settings.counters.count_won();
        self.context.call().answered(response.status());
        self.context.state().worsen(failed.unwrap_or(Delivery::Unknown));
        if failed.is_none() {
            self.learn();
            self.context.state().set_overtaken(true);
        }
        self.finish(true);
    }

    /// The first's result, which stands; what a second one may have done counts too.
    fn settle<R>(&self, result: Result<Response<R>, Error>) -> Result<Response<R>, Error> {
        if !self.doubled {
            return result;
        }
        self.finish(false);
        let result = self.noted(result, self.second.unwrap_or(Delivery::NotSent));
        result.map_err(|error| error.worsen(self.context.call().delivery()))
    }

    /// Notes on an answer what is known of the other request. A retry layer further out says the rest.
    fn noted<R>(
        &self,
        mut result: Result<Response<R>, Error>,
        earlier: Delivery,
    ) -> Result<Response<R>, Error> {
        let attempts = self.context.attempts_counted().unwrap_or(1);
        if let Ok(response) = &mut result
            && attempts > 1
        {
            let retries = Retries { attempts, waited: Duration::ZERO, gave_up: None, earlier };
            response.extensions_mut().insert(retries);
        }
        result
    }

    fn finish(&self, won: bool) {
        self.shared.settings.emitter.emit(Some(&self.context), || Event::HedgeFinished { won });
    }
}

impl<S, B> Plan<S, B>
where
    S: Service<Request<ReplayBody<B>>> + Send + 'static,
    B: Body + Send + 'static,
{
    /// The second request, if there may be one; decided once.
    fn send_second(&mut self, now: Instant) -> Option<Second<S, B>> {
        let state = self.context.state();
        if state.is_here() {
            // The first hasn't left yet: its time hasn't begun.
            state.set_attempt_began(now);
            return None;
        }
        let after = now.saturating_duration_since(state.attempt_began());
        self.delay = None;
        // A body that is still being sent can't be sent twice at once.
        let memory = self.memory.as_deref_mut().filter(|memory| memory.body.is_sent())?;
        let settings = &self.shared.settings;
        let pass = match super::second::may_go(&self.context, &settings.budget, now) {
            Ok(pass) => pass,
            Err(why) => {
                settings.counters.count_skipped();
                settings.emitter.emit(Some(&self.context), || Event::HedgeSkipped { why });
                return None;
            }
        };
        let second = Second::send(&self.context, memory, pass, now)?;
        self.doubled = true;
        settings.counters.count_sent();
        settings.emitter.emit(Some(&self.context), || Event::HedgeSent { after });
        Some(second)
    }
}

/// What is known of the provider's part in a request.
fn delivery<R>(result: &Result<R, Error>) -> Delivery {
    result.as_ref().map_or_else(Error::delivery, |_| Delivery::Answered)
}
