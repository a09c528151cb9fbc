//! A call that waits until the provider answers again, and the task that looks after all who do.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::breaker::Breaker;
use super::hold::Waiter;
use super::state::Ticket;
use crate::event::Event;
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Wire};
use crate::rt;

/// A place among those who wait; given up when it is dropped.
struct Place<'a, W: Wire> {
    breaker: &'a Breaker,
    waiter: Arc<Waiter>,
    attempt: &'a Attempt<W>,
}

/// The task that wakes those who may go when nothing but time tells them.
struct Watch {
    breaker: Arc<Breaker>,
    is_over: bool,
}

impl Breaker {
    /// Waits until the call may go; the error if it must not be sent any more.
    pub(super) async fn hold<W: Wire>(
        self: &Arc<Self>,
        waiter: Arc<Waiter>,
        must_watch: bool,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Ticket, Error> {
        let place = Place { breaker: self, waiter, attempt };
        let (context, came) = (attempt.context(), call.now());
        self.emitter.emit(Some(&context), || Event::BreakerHeld);
        if must_watch && !self.watch() {
            // Nobody would wake it where there is no runtime.
            return Err(self.refuse(&self.gate.give_up(came), &context));
        }
        let turn = poll_fn(|cx| {
            if let Some(refusal) = attempt.refusal() {
                // Somebody stopped the integration meanwhile.
                return Poll::Ready(Err(refusal));
            }
            if let Poll::Ready(ticket) = place.waiter.poll(cx.waker()) {
                return Poll::Ready(Ok(ticket));
            }
            if self.gate.must_watch(call.now()) && !self.watch() {
                self.gate.unwatch();
            }
            Poll::Pending
        });
        let turn = call.until(call.deadline(), turn).await;
        let now = call.now();
        let Some(turn) = turn else {
            // It is told why its deadline wasn't met.
            return Err(self.refuse(&self.gate.give_up(now), &context));
        };
        let ticket = turn?;
        if self.gate.is_outdated(&ticket) {
            // Somebody forced it open before the call came to go.
            return Err(self.refuse(&self.gate.turn_away(now), &context));
        }
        attempt.state(|state| state.set_attempt_began(now));
        let waited = now.saturating_duration_since(came);
        self.emitter.emit(Some(&context), || Event::BreakerReleased { waited });
        Ok(ticket)
    }

    /// Begins to look after those who are held; false where there is no runtime.
    fn watch(self: &Arc<Self>) -> bool {
        let mut watch = Watch { breaker: Arc::clone(self), is_over: false };
        rt::spawn(async move {
            while let Some(next) = watch.look() {
                rt::sleep_until(next).await;
            }
        })
    }
}

impl<W: Wire> Drop for Place<'_, W> {
    fn drop(&mut self) {
        self.breaker.leave(&self.waiter, self.attempt);
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
