use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::context::{Call, Context};
use crate::outcome::{BoxError, Error};
use crate::pattern::ready::{Inner, Sending};
use crate::replay::budget::{Pass, RetryBudget};
use crate::replay::{Memory, ReplayBody};
use crate::terms::{Delivery, GaveUp};

pin_project! {
    /// The second request of a call.
    pub(super) struct Second<S, B>
    where
        S: Service<Request<ReplayBody<B>>>,
    {
        #[pin]
        sending: Sending<S, Request<ReplayBody<B>>>,
        // The same call, with what happens to this request kept apart.
        context: Context,
        first: Context,
        // It came to something.
        ended: bool,
        // What it costs, where requests under way are counted.
        _pass: Pass,
    }

    impl<S, B> PinnedDrop for Second<S, B>
    where
        S: Service<Request<ReplayBody<B>>>,
    {
        fn drop(this: Pin<&mut Self>) {
            let first = this.first.call();
            if this.context.state().has_not_left() {
                // It was still here: nothing went out.
                first.uncount_hedge();
            } else if !this.ended {
                // It was on its way, and nobody will know what came of it.
                first.worsen(Delivery::Unknown);
            }
            first.end_hedge();
        }
    }
}

/// Pays for a second request, if there may be one now; otherwise, why there may not.
pub(super) fn may_go(
    context: &Context,
    budget: &RetryBudget,
    now: Instant,
) -> Result<Pass, GaveUp> {
    let call = context.call();
    if !call.may_repeat() {
        return Err(GaveUp::Stopped);
    }
    let state = context.state();
    if state.is_probing() || state.is_shut() {
        return Err(GaveUp::CircuitOpen);
    }
    if context.deadline().is_some_and(|deadline| now >= deadline) {
        return Err(GaveUp::Deadline);
    }
    budget.withdraw(now).ok_or(GaveUp::Budget)
}

impl<S, B> Second<S, B>
where
    S: Service<Request<ReplayBody<B>>> + Send + 'static,
    B: Body + Send + 'static,
{
    /// Sends what is remembered once more; `None` if that can't be.
    pub(super) fn send(
        first: &Context,
        memory: &mut Memory<S, B>,
        pass: Pass,
        now: Instant,
    ) -> Option<Self> {
        let attempt = first.attempt() + 1;
        let context = first.fork(attempt);
        context.state().begin_attempt(now);
        let request = memory.recall(&context, attempt)?;
        let service = memory.service.take()?;
        first.call().begin_hedge();
        let sending = Inner::new(service).send_owned(request);
        Some(Self { sending, context, first: first.clone(), ended: false, _pass: pass })
    }
}

impl<S, B> Second<S, B>
where
    S: Service<Request<ReplayBody<B>>>,
{
    /// The first was answered well: this one is dropped knowing that it lost. What is known of it.
    pub(super) fn lose(self: Pin<Box<Self>>) -> Delivery {
        self.context.state().set_overtaken(true);
        if self.context.state().has_not_left() { Delivery::NotSent } else { Delivery::Unknown }
    }

    /// What is true of the call now that this request is over, and of the request.
    pub(super) fn end<R>(
        mut self: Pin<Box<Self>>,
        call: &Call,
        result: &Result<Response<R>, Error>,
    ) -> Delivery {
        *self.as_mut().project().ended = true;
        if self.context.state().is_shut() {
            self.first.state().set_shut(true);
        }
        let delivery = match result {
            Ok(response) => {
                call.answered(response.status());
                Delivery::Answered
            }
            Err(error) if error.is_rejected() && error.delivery() == Delivery::NotSent => {
                call.uncount_hedge();
                Delivery::NotSent
            }
            Err(error) => error.delivery(),
        };
        call.worsen(delivery);
        delivery
    }
}

impl<S, B, R> Future for Second<S, B>
where
    S: Service<Request<ReplayBody<B>>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.sending.poll(cx).map_err(|error| Error::from_inner(error, Some(this.context)))
    }
}
