use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::sync::Notify;

use super::in_flight::InFlight;
use super::limiter::{Grant, Limiter, wake};
use super::resources::Route;
use super::stall_guard::StallGuard;
use super::state::Schedule;
use crate::pattern::capacity::Capacity;
use crate::rt;

/// What is under the limiter's lock.
#[derive(Debug)]
pub(super) struct LimiterState {
    pub(super) schedule: Schedule,
    /// Is told that a call has to wait, or is refused, because of a share.
    pub(super) shortage: Option<Arc<Notify>>,
    /// Bounds calls in flight by the capacity further in, if no number was set.
    pub(super) capacity: Option<Arc<dyn Capacity>>,
    /// In the order of their ids, without those that are skipped.
    pub(super) queue: VecDeque<Arc<QueuedCall>>,
    /// How many calls wait, skipped ones included.
    pub(super) waiting: u32,
    /// How many of them are skipped, because they weren't polled when it was their turn.
    skipped: u32,
    /// The id of the next call to queue.
    next_id: u64,
    /// Whether a [`StallGuard`] runs.
    pub(super) has_guard: bool,
    /// Calls that went out and aren't answered yet.
    pub(super) in_flight: u32,
    /// The same, of all limiters that share a bound.
    pub(super) shared_in_flight: Arc<InFlight>,
    /// Whether a call had to wait, or was refused, since the last one went.
    pub(super) contended: bool,
    pub(super) rejected: u64,
}

/// A call's entry in the queue, which leaves it when dropped.
#[derive(Debug)]
pub(super) struct QueueEntry {
    limiter: Arc<Limiter>,
    queued: Arc<QueuedCall>,
    /// Until when it waits at most, if there is a limit.
    pub(super) limit: Option<Instant>,
    granted: bool,
}

#[derive(Debug)]
pub(super) struct QueuedCall {
    id: u64,
    route: Route,
    dropped: AtomicBool,
    /// It was woken by the [`StallGuard`] and hasn't been polled since.
    pinged: AtomicBool,
    /// It is out of the queue until it is polled. Changes under the lock.
    skipped: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What a queued call is to do.
pub(super) enum QueueStep {
    Go(Grant),
    /// It may go then, as far as is known now.
    WaitUntil(Instant),
    /// It is to wait until it is woken.
    Wait,
    /// The provider allows no request before then, which is over the longest pause to wait for.
    StoppedUntil(Instant),
}

// === impl LimiterState ===

impl LimiterState {
    pub(super) fn new(
        schedule: Schedule,
        capacity: Option<Arc<dyn Capacity>>,
        shared_in_flight: Arc<InFlight>,
    ) -> Self {
        Self {
            schedule,
            shortage: None,
            capacity,
            shared_in_flight,
            queue: VecDeque::new(),
            waiting: 0,
            skipped: 0,
            next_id: 0,
            has_guard: false,
            in_flight: 0,
            contended: false,
            rejected: 0,
        }
    }

    /// Adds a call at the end.
    pub(super) fn join(&mut self, route: Route) -> Arc<QueuedCall> {
        let queued = Arc::new(QueuedCall::new(self.next_id, route));
        self.next_id += 1;
        self.waiting += 1;
        self.queue.push_back(Arc::clone(&queued));
        queued
    }

    /// How many calls are queued.
    pub(super) fn queue_length(&self) -> u32 {
        self.waiting - self.skipped
    }

    /// Whether a call waits behind another.
    pub(super) fn has_queue(&self) -> bool {
        self.queue_length() > 1
    }

    /// Whether a [`StallGuard`] must run: to skip the first call if it isn't polled, and to notice when
    /// the capacity further in grows.
    pub(super) fn needs_guard(&self) -> bool {
        self.has_queue() || self.queue_length() > 0 && self.capacity.is_some()
    }

    /// Whether the caller must start the [`StallGuard`].
    pub(super) fn must_start_guard(&mut self) -> bool {
        let must = self.needs_guard() && !self.has_guard;
        self.has_guard |= must;
        must
    }

    /// Whether another call may be in flight.
    pub(super) fn has_capacity(&self) -> bool {
        self.in_flight_limit().is_none_or(|most| self.shared_in_flight.count() < most)
    }

    /// How many calls may be in flight, of all that share the bound.
    pub(super) fn in_flight_limit(&self) -> Option<u32> {
        let set = self.schedule.config().in_flight;
        set.or_else(|| self.capacity.as_ref()?.limit())
    }

    /// Whether calls in flight are counted.
    pub(super) fn is_bounded(&self) -> bool {
        self.schedule.config().in_flight.is_some() || self.capacity.is_some()
    }

    /// When the first call may go, if there is capacity.
    pub(super) fn first_may_go_at(&self, now: Instant) -> Option<Instant> {
        let first = self.queue.front().filter(|_| self.has_capacity())?;
        Some(self.schedule.ready_at(first.route, now))
    }

    pub(super) fn is_first(&self, queued: &Arc<QueuedCall>) -> bool {
        self.queue.front().is_some_and(|first| Arc::ptr_eq(first, queued))
    }

    /// Marks the first `count` calls as pinged, and returns them.
    pub(super) fn ping(&mut self, count: usize) -> Vec<Arc<QueuedCall>> {
        let there = self.queue.iter().filter(|queued| !queued.is_dropped());
        let pinged: Vec<_> = there.take(count).cloned().collect();
        pinged.iter().for_each(|queued| queued.pinged.store(true, Ordering::Relaxed));
        pinged
    }

    /// Takes these calls out of the queue until they are polled.
    pub(super) fn skip(&mut self, absent: &[Arc<QueuedCall>]) {
        if absent.is_empty() {
            return;
        }
        for queued in absent {
            queued.skipped.store(true, Ordering::Relaxed);
            self.skipped += 1;
        }
        self.queue.retain(|queued| !queued.is_skipped());
        self.pop_dropped();
    }

    /// Puts a skipped call back where it was.
    fn unskip(&mut self, queued: &Arc<QueuedCall>) {
        if queued.skipped.swap(false, Ordering::Relaxed) {
            self.skipped -= 1;
            let at = self.queue.partition_point(|other| other.id < queued.id);
            self.queue.insert(at, Arc::clone(queued));
        }
    }

    /// Removes the first call, and returns the one that is first now.
    fn pop_front(&mut self) -> Option<Arc<QueuedCall>> {
        self.queue.pop_front();
        self.waiting -= 1;
        self.pop_dropped();
        self.queue.front().cloned()
    }

    /// Removes dropped calls from the middle of the queue, once they are more than the others.
    fn compact(&mut self) {
        let most = (self.queue_length() as usize).saturating_mul(2).max(MIN_COMPACT);
        if self.queue.len() > most {
            self.queue.retain(|queued| !queued.is_dropped());
        }
    }

    fn pop_dropped(&mut self) {
        while self.queue.front().is_some_and(|first| first.is_dropped()) {
            self.queue.pop_front();
        }
    }
}

// === impl QueueEntry ===

impl QueueEntry {
    pub(super) fn new(
        limiter: &Arc<Limiter>,
        queued: Arc<QueuedCall>,
        limit: Option<Instant>,
    ) -> Self {
        Self { limiter: Arc::clone(limiter), queued, limit, granted: false }
    }

    /// Returns the grant if it is this call's turn; if not, what it is to wait for.
    pub(super) fn poll_turn(&mut self, waker: &Waker) -> QueueStep {
        self.queued.remember(waker);
        if self.queued.is_skipped() {
            self.return_to_place();
        }
        let now = rt::now();
        let mut state = self.limiter.state();
        self.queued.pinged.store(false, Ordering::Relaxed);
        state.pop_dropped();
        if !state.is_first(&self.queued) {
            return QueueStep::Wait;
        }
        state.schedule.count_sleep(now);
        if let Some(until) = state.schedule.stopped_too_long(self.queued.route, now) {
            return QueueStep::StoppedUntil(until);
        }
        let behind = state.queue_length().saturating_sub(1);
        let grant = match state.first_may_go_at(now) {
            None => None,
            Some(at) if at > now => return QueueStep::WaitUntil(at),
            Some(_) => self.limiter.try_grant(&mut state, self.queued.route, behind, now),
        };
        let Some(grant) = grant else {
            // A call that ends wakes this one.
            state.shared_in_flight.wait(Arc::downgrade(&self.limiter));
            if state.has_capacity() {
                // A call ended just before this one was registered.
                waker.wake_by_ref();
            }
            return QueueStep::Wait;
        };
        self.granted = true;
        let next = state.pop_front();
        if next.is_none() {
            self.limiter.publish(&state, now);
        }
        drop(state);
        wake(next);
        QueueStep::Go(grant)
    }

    fn return_to_place(&self) {
        let mut state = self.limiter.state();
        state.unskip(&self.queued);
        let must_start_guard = state.must_start_guard();
        drop(state);
        if must_start_guard {
            StallGuard::begin(&self.limiter);
        }
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        if self.granted {
            return;
        }
        // Under the lock, so that either this or `pop_dropped` wakes the next call.
        let mut state = self.limiter.state();
        self.queued.dropped.store(true, Ordering::Relaxed);
        let mut unused = None;
        let next = match state.is_first(&self.queued) {
            true => {
                // It may have been woken for capacity that it doesn't use.
                unused = state.is_bounded().then(|| Arc::clone(&state.shared_in_flight));
                state.pop_front()
            }
            false if self.queued.is_skipped() => {
                (state.waiting, state.skipped) = (state.waiting - 1, state.skipped - 1);
                None
            }
            false => {
                // It stays in the queue until it comes to the front.
                state.waiting -= 1;
                state.compact();
                None
            }
        };
        drop(state);
        wake(next);
        if let Some(in_flight) = unused {
            in_flight.wake_next();
        }
    }
}

// === impl QueuedCall ===

impl QueuedCall {
    fn new(id: u64, route: Route) -> Self {
        let (dropped, pinged, skipped) = Default::default();
        Self { id, route, dropped, pinged, skipped, waker: Mutex::default() }
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Whether it hasn't been polled since it was pinged.
    pub(super) fn is_pinged(&self) -> bool {
        self.pinged.load(Ordering::Relaxed)
    }

    fn is_skipped(&self) -> bool {
        self.skipped.load(Ordering::Relaxed)
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

/// Below this length, compacting the queue costs more than it saves.
const MIN_COMPACT: usize = 64;
