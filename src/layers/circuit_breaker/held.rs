//! A call that waits until the provider answers again, and the task that looks after all who do.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use super::breaker::Breaker;
use super::hold::Waiter;
use super::pass::Pass;
use crate::context::Context;
use crate::event::Event;
use crate::outcome::Error;
use crate::rt;

/// A call that waits; its place is given up when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    breaker: Arc<Breaker>,
    waiter: Arc<Waiter>,
    context: Context,
    came: Instant,
}

/// The task that wakes those who may go when nothing but time tells them.
struct Watch {
    breaker: Arc<Breaker>,
    is_over: bool,
}

impl Held {
    pub(super) fn new(
        breaker: Arc<Breaker>,
        waiter: Arc<Waiter>,
        context: Context,
        came: Instant,
    ) -> Self {
        // Until it may go; a call that is dropped before never left.
        context.state().set_queued(true);
        breaker.emitter.emit(Some(&context), || Event::BreakerHeld);
        Self { breaker, waiter, context, came }
    }

    /// It can't be woken, so it doesn't wait.
    pub(super) fn refuse(self) -> Error {
        self.context.state().set_queued(false);
        self.breaker.refuse(&self.breaker.gate.give_up(self.came), &self.context)
    }

    /// Ready when the call may go, or must not be sent any more.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Pass, Error>> {
        if let Some(refusal) = self.context.refusal() {
            // Somebody stopped the integration meanwhile.
            self.context.state().set_queued(false);
            return Poll::Ready(Err(refusal));
        }
        let Poll::Ready(ticket) = self.waiter.poll(cx.waker()) else {
            if self.context.deadline().is_some_and(|deadline| rt::now() >= deadline) {
                // Whoever keeps the deadline has woken it, and is told why it wasn't met.
                self.context.state().set_queued(false);
                let refusal = self.breaker.gate.give_up(rt::now());
                return Poll::Ready(Err(self.breaker.refuse(&refusal, &self.context)));
            }
            if self.breaker.gate.must_watch(rt::now()) && !self.breaker.watch() {
                self.breaker.gate.unwatch();
            }
            return Poll::Pending;
        };
        let now = rt::now();
        self.context.state().set_queued(false);
        if self.breaker.gate.is_outdated(&ticket) {
            // Somebody forced it open before the call came to go.
            let refusal = self.breaker.gate.turn_away(now);
            return Poll::Ready(Err(self.breaker.refuse(&refusal, &self.context)));
        }
        self.context.state().set_attempt_began(now);
        let waited = now.saturating_duration_since(self.came);
        self.breaker.emitter.emit(Some(&self.context), || Event::BreakerReleased { waited });
        Poll::Ready(Ok(Pass::new(Arc::clone(&self.breaker), ticket, self.context.clone())))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.breaker.leave(&self.waiter, &self.context);
    }
}

impl Breaker {
    /// Begins to look after those who are held; false where there is no runtime.
    pub(super) fn watch(self: &Arc<Self>) -> bool {
        let mut watch = Watch { breaker: Arc::clone(self), is_over: false };
        rt::spawn(async move {
            while let Some(next) = watch.look() {
                rt::sleep_until(next).await;
            }
        })
    }
}

impl Watch {
    fn look(&mut self) -> Option<Instant> {
        let next = self.breaker.look();
        self.is_over = next.is_none();
        next
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_over {
            // Its runtime ends, and others may still wait elsewhere: they begin another.
            self.breaker.gate.unwatch();
        }
    }
}
