use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::flights::Flights;
use super::limiter::{Limiter, Turn, wake};
use super::resources::Route;
use super::roll_call::RollCall;
use super::state::Schedule;
use crate::pattern::capacity::Capacity;
use crate::rt;

/// What is under the limiter's lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) schedule: Schedule,
    /// Bounds calls under way by what is further in, where nothing else was set.
    pub(super) room: Option<Arc<dyn Capacity>>,
    /// In the order of their places, without those who were passed over.
    pub(super) queue: VecDeque<Arc<Waiter>>,
    /// Those who queued and haven't left.
    pub(super) waiting: u32,
    /// Those among them who were passed over, because they weren't there when it was their turn.
    passed_over: u32,
    /// How many have ever queued.
    places: u64,
    /// Somebody looks after the queue.
    pub(super) is_watched: bool,
    /// Calls that were let through and aren't answered yet.
    pub(super) under_way: u32,
    /// The same, of all limiters that share a bound.
    pub(super) flights: Arc<Flights>,
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

#[derive(Debug)]
pub(super) struct Waiter {
    place: u64,
    route: Route,
    left: AtomicBool,
    /// It hasn't been polled since it was called.
    called: AtomicBool,
    /// It isn't in the queue until it is polled; changes under the lock.
    passed_over: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What the head of the queue is told.
pub(super) enum Step {
    Go(Turn),
    /// Its turn comes then, as things stand.
    WaitUntil(Instant),
    /// Others are before it.
    Wait,
    /// The provider lets nobody go before that, which is longer than anybody waits for it.
    StoppedUntil(Instant),
}

// === impl State ===

impl State {
    pub(super) fn new(
        schedule: Schedule,
        room: Option<Arc<dyn Capacity>>,
        flights: Arc<Flights>,
    ) -> Self {
        Self {
            schedule,
            room,
            flights,
            queue: VecDeque::new(),
            waiting: 0,
            passed_over: 0,
            places: 0,
            is_watched: false,
            under_way: 0,
            pressed: false,
            rejected: 0,
        }
    }

    /// The last place.
    pub(super) fn join(&mut self, route: Route) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter::new(self.places, route));
        self.places += 1;
        self.waiting += 1;
        self.queue.push_back(Arc::clone(&waiter));
        waiter
    }

    /// How many have a place before a newcomer.
    pub(super) fn before(&self) -> u32 {
        self.waiting - self.passed_over
    }

    /// Whether one waits behind another.
    pub(super) fn is_queue(&self) -> bool {
        self.before() > 1
    }

    /// Whether somebody must look after the queue: that the first is there, where others wait behind
    /// it, and that it knows of places further in that came of others' calls.
    pub(super) fn needs_watch(&self) -> bool {
        self.is_queue() || self.before() > 0 && self.room.is_some()
    }

    /// Whether somebody must begin to look after the queue now.
    pub(super) fn must_watch(&mut self) -> bool {
        let must = self.needs_watch() && !self.is_watched;
        self.is_watched |= must;
        must
    }

    /// Whether another call may be under way.
    pub(super) fn has_room(&self) -> bool {
        self.most().is_none_or(|most| self.flights.under_way() < most)
    }

    /// How many calls may be under way, of all who share that.
    pub(super) fn most(&self) -> Option<u32> {
        let set = self.schedule.config().in_flight;
        set.or_else(|| self.room.as_ref()?.limit())
    }

    /// Whether calls under way are counted.
    pub(super) fn is_bounded(&self) -> bool {
        self.schedule.config().in_flight.is_some() || self.room.is_some()
    }

    /// When the first may go, where there is room.
    pub(super) fn first_may_go_at(&self, now: Instant) -> Option<Instant> {
        let first = self.queue.front().filter(|_| self.has_room())?;
        Some(self.schedule.ready_at(first.route, now))
    }

    pub(super) fn is_first(&self, waiter: &Arc<Waiter>) -> bool {
        self.queue.front().is_some_and(|first| Arc::ptr_eq(first, waiter))
    }

    /// The first so many, who are to show that they are there.
    pub(super) fn call(&mut self, many: usize) -> Vec<Arc<Waiter>> {
        let there = self.queue.iter().filter(|waiter| !waiter.has_left());
        let called: Vec<_> = there.take(many).cloned().collect();
        called.iter().for_each(|waiter| waiter.called.store(true, Ordering::Relaxed));
        called
    }

    /// They are passed over until they are polled.
    pub(super) fn pass_over(&mut self, absent: &[Arc<Waiter>]) {
        if absent.is_empty() {
            return;
        }
        for waiter in absent {
            waiter.passed_over.store(true, Ordering::Relaxed);
            self.passed_over += 1;
        }
        self.queue.retain(|waiter| !waiter.is_passed_over());
        self.skip_left();
    }

    /// Back to its place.
    fn take_back(&mut self, waiter: &Arc<Waiter>) {
        if waiter.passed_over.swap(false, Ordering::Relaxed) {
            self.passed_over -= 1;
            let at = self.queue.partition_point(|other| other.place < waiter.place);
            self.queue.insert(at, Arc::clone(waiter));
        }
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
        let most = (self.before() as usize).saturating_mul(2).max(FEW);
        if self.queue.len() > most {
            self.queue.retain(|waiter| !waiter.has_left());
        }
    }

    fn skip_left(&mut self) {
        while self.queue.front().is_some_and(|first| first.has_left()) {
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
        if self.waiter.is_passed_over() {
            self.return_to_place();
        }
        let now = rt::now();
        let mut state = self.limiter.state();
        self.waiter.called.store(false, Ordering::Relaxed);
        state.skip_left();
        if !state.is_first(&self.waiter) {
            return Step::Wait;
        }
        if let Some(until) = state.schedule.stopped_too_long(self.waiter.route, now) {
            return Step::StoppedUntil(until);
        }
        let behind = state.before().saturating_sub(1);
        let turn = match state.first_may_go_at(now) {
            None => None,
            Some(at) if at > now => return Step::WaitUntil(at),
            Some(_) => self.limiter.give_turn(&mut state, self.waiter.route, behind, now),
        };
        let Some(turn) = turn else {
            // Whoever makes room says so.
            state.flights.wait(Arc::downgrade(&self.limiter));
            if state.has_room() {
                // It came before anybody was told who waits for it.
                waker.wake_by_ref();
            }
            return Step::Wait;
        };
        self.done = true;
        let next = state.leave_front();
        if next.is_none() {
            self.limiter.settle(&state, now);
        }
        drop(state);
        wake(next);
        Step::Go(turn)
    }

    fn return_to_place(&self) {
        let mut state = self.limiter.state();
        state.take_back(&self.waiter);
        let must_watch = state.must_watch();
        drop(state);
        if must_watch {
            RollCall::begin(&self.limiter);
        }
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
        let mut unused = None;
        let next = match state.is_first(&self.waiter) {
            true => {
                // It may have been told of room that it doesn't use.
                unused = state.is_bounded().then(|| Arc::clone(&state.flights));
                state.leave_front()
            }
            false if self.waiter.is_passed_over() => {
                (state.waiting, state.passed_over) = (state.waiting - 1, state.passed_over - 1);
                None
            }
            false => {
                // It stays in the queue as a name that is skipped.
                state.waiting -= 1;
                state.forget_left();
                None
            }
        };
        drop(state);
        wake(next);
        if let Some(flights) = unused {
            flights.pass_on();
        }
    }
}

// === impl Waiter ===

impl Waiter {
    fn new(place: u64, route: Route) -> Self {
        let (left, called, passed_over) = Default::default();
        Self { place, route, left, called, passed_over, waker: Mutex::default() }
    }

    pub(super) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether it hasn't been polled since it was called.
    pub(super) fn is_called(&self) -> bool {
        self.called.load(Ordering::Relaxed)
    }

    fn is_passed_over(&self) -> bool {
        self.passed_over.load(Ordering::Relaxed)
    }

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
