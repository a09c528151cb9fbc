use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::limiter::{Limiter, Turn};
use super::state::Schedule;
use crate::room::Room;
use crate::rt;

/// What is under the limiter's lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) schedule: Schedule,
    /// Bounds calls under way by what is further in, where nothing else was set.
    pub(super) room: Option<Arc<dyn Room>>,
    pub(super) queue: VecDeque<Arc<Waiter>>,
    /// Those in the queue who haven't left.
    pub(super) waiting: u32,
    /// Calls that were let through and aren't answered yet.
    pub(super) under_way: u32,
    /// Somebody had to wait, or was refused, since the last turn.
    pub(super) pressed: bool,
    pub(super) rejected: u64,
}

/// A place in the queue; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    limiter: Arc<Limiter>,
    waiter: Arc<Waiter>,
    /// It waits no longer than until then, where that is bounded.
    pub(super) limit: Option<Instant>,
    done: bool,
}

#[derive(Debug, Default)]
pub(super) struct Waiter {
    left: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What the head of the queue is told.
pub(super) enum Step {
    Go(Turn),
    /// Its turn comes then, as things stand.
    WaitUntil(Instant),
    /// Others are before it.
    Wait,
}

// === impl State ===

impl State {
    pub(super) fn new(schedule: Schedule, room: Option<Arc<dyn Room>>) -> Self {
        let queue = VecDeque::new();
        Self { schedule, room, queue, waiting: 0, under_way: 0, pressed: false, rejected: 0 }
    }

    /// Whether another call may be under way.
    pub(super) fn has_room(&self) -> bool {
        let set = self.schedule.config().in_flight;
        let most = set.or_else(|| self.room.as_ref()?.places());
        most.is_none_or(|most| self.under_way < most)
    }

    /// Whether calls under way are counted.
    pub(super) fn is_bounded(&self) -> bool {
        self.schedule.config().in_flight.is_some() || self.room.is_some()
    }

    /// The first in the queue goes; who is first now.
    fn leave_front(&mut self) -> Option<Arc<Waiter>> {
        self.queue.pop_front();
        self.waiting -= 1;
        self.skip_left();
        self.queue.front().cloned()
    }

    /// Takes out those who left, once they are the most: they are no more than who waits, or few.
    fn forget_left(&mut self) {
        let most = (self.waiting as usize).saturating_mul(2).max(FEW);
        if self.queue.len() > most {
            self.queue.retain(|waiter| !waiter.left.load(Ordering::Relaxed));
        }
    }

    fn skip_left(&mut self) {
        while self.queue.front().is_some_and(|first| first.left.load(Ordering::Relaxed)) {
            self.queue.pop_front();
        }
    }
}

// === impl Ticket ===

impl Ticket {
    pub(super) fn new(limiter: &Arc<Limiter>, waiter: Arc<Waiter>, limit: Option<Instant>) -> Self {
        Self { limiter: Arc::clone(limiter), waiter, limit, done: false }
    }

    /// Whether it is our turn; if not, `waker` is told when to ask again, or the time is.
    pub(super) fn step(&mut self, waker: &Waker) -> Step {
        self.waiter.remember(waker);
        let now = rt::now();
        let mut state = self.limiter.state();
        state.skip_left();
        if !state.queue.front().is_some_and(|first| Arc::ptr_eq(first, &self.waiter)) {
            return Step::Wait;
        }
        if !state.has_room() {
            // Whoever makes room says so.
            return Step::Wait;
        }
        let ready_at = state.schedule.ready_at(now);
        if ready_at > now {
            return Step::WaitUntil(ready_at);
        }
        let turn = self.limiter.give_turn(&mut state, now);
        self.done = true;
        let next = state.leave_front();
        if next.is_none() {
            self.limiter.settle(&state, now);
        }
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
        Step::Go(turn)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // Under the lock: whoever skips us before we are gone would have to wake the next.
        let mut state = self.limiter.state();
        self.waiter.left.store(true, Ordering::Relaxed);
        let was_next = state.queue.front().is_some_and(|first| Arc::ptr_eq(first, &self.waiter));
        let next = match was_next {
            true => state.leave_front(),
            false => {
                // It stays in the queue as a name that is skipped.
                state.waiting -= 1;
                state.forget_left();
                None
            }
        };
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
    }
}

// === impl Waiter ===

impl Waiter {
    fn remember(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    pub(super) fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// So many names cost no more than the work of taking them out.
const FEW: usize = 64;
