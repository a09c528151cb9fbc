use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::config::RateLimitConfig;
use super::in_flight::InFlight;
use super::queue::{LimiterState, QueueEntry, QueuedCall};
use super::recent::Recent;
use super::resources::{Route, Target};
use super::server_limit::AnsweredRequest;
use super::stall_guard::StallGuard;
use super::state::Schedule;
use crate::outcome::{LimitFacts, Resource};
use crate::pattern::capacity::Capacity;
use crate::pattern::keyed::KeyedValue;
use crate::pattern::ownership::Ownership;
use crate::rt;

/// The schedule and its queue, behind a lock.
///
/// As long as nothing limits requests, a call costs a few loads. Only the first call in the queue has
/// a timer; each wakes the next, and a [`StallGuard`] skips those that aren't polled.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Whether calls must take the lock.
    is_limiting: AtomicBool,
    /// How many refusals counted. A request that was sent before one and refused after it tells nothing
    /// new.
    generation: AtomicU64,
    /// How many requests went in all.
    sent: AtomicU64,
    recent: Recent,
    state: Mutex<LimiterState>,
    pub(super) ownership: Ownership,
}

/// The permission to send one request, until it is answered.
#[derive(Debug)]
pub(super) struct Grant {
    /// The limiter's generation when it was granted.
    generation: u64,
    /// How many requests had gone by then, this one included.
    number: u64,
    target: Target,
    /// The limiter that counts it as in flight, if one does.
    counted: Option<Arc<Limiter>>,
}

#[derive(Debug)]
pub(super) enum EnterOutcome {
    Granted(Grant),
    /// The call waits, for about so long.
    Queued(QueueEntry, Duration),
    /// It would have to wait too long, or the queue is full.
    Rejected(Rejected),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rejected {
    /// How long it would have waited, if that is known.
    pub(super) wait: Option<Duration>,
    pub(super) is_full: bool,
}

/// Who is to be told that a share is too small for a call.
struct Shortage(Option<Arc<Notify>>);

impl Limiter {
    pub(super) fn new(config: &RateLimitConfig, capacity: Option<Arc<dyn Capacity>>) -> Self {
        Self::with_in_flight(config, capacity, Arc::default())
    }

    /// A limiter that shares a bound on calls in flight with others.
    pub(super) fn with_in_flight(
        config: &RateLimitConfig,
        capacity: Option<Arc<dyn Capacity>>,
        shared_in_flight: Arc<InFlight>,
    ) -> Self {
        let now = rt::now();
        let state = LimiterState::new(Schedule::new(config, now), capacity, shared_in_flight);
        Self {
            is_limiting: AtomicBool::new(state.is_bounded() || state.schedule.is_limiting(now)),
            generation: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            recent: Recent::new(now),
            state: Mutex::new(state),
            ownership: Ownership::default(),
        }
    }

    /// Applies other settings, and another capacity further in.
    pub(super) fn reconfigure(
        &self,
        config: &RateLimitConfig,
        capacity: Option<Arc<dyn Capacity>>,
    ) {
        self.state().capacity = capacity;
        self.change(|schedule, now| schedule.reconfigure(config, now));
    }

    /// Whether a call may go now without taking the lock.
    pub(super) fn is_free(&self) -> bool {
        !self.is_limiting.load(Ordering::Acquire)
    }

    /// Asks to send a request. `began` is about now, and `latest` returns the last time at which it may
    /// go.
    pub(super) fn enter(
        self: &Arc<Self>,
        target: Target,
        began: Instant,
        latest: impl FnOnce(Instant) -> Option<Instant>,
    ) -> EnterOutcome {
        if self.is_free() {
            self.recent.count(began);
            return EnterOutcome::Granted(self.grant(target, None));
        }
        let (now, route) = (rt::now(), target.route());
        // Declared before the lock, so that it is told after it.
        let mut shortage = Shortage(None);
        let mut state = self.state();
        state.schedule.count_sleep(now);
        let is_free = state.queue_length() == 0 && state.schedule.ready_at(route, now) <= now;
        if is_free
            && !state.shared_in_flight.has_waiting()
            && let Some(grant) = self.try_grant(&mut state, route, 0, now)
        {
            state.queue.clear();
            return EnterOutcome::Granted(grant);
        }
        state.contended = true;
        if state.schedule.share_ready_at(now).is_some_and(|at| at > now) {
            shortage.0.clone_from(&state.shortage);
        }
        if let Some(until) = state.schedule.stopped_too_long(route, now) {
            state.rejected += 1;
            let wait = Some(until.saturating_duration_since(now));
            return EnterOutcome::Rejected(Rejected { wait, is_full: false });
        }
        let ready_at = state.schedule.ready_after(state.queue_length(), route, now);
        let wait = ready_at.saturating_duration_since(now);
        let config = state.schedule.config();
        let limit = config.max_wait.map(|limit| rt::after(now, limit));
        let limit = limit.into_iter().chain(latest(now)).min();
        let is_full = state.waiting >= config.queue;
        if is_full || limit.is_some_and(|limit| ready_at >= limit) {
            state.rejected += 1;
            // If only the capacity bounds it, the time of the next grant isn't known.
            let wait = if is_full && wait.is_zero() { FULL_QUEUE_RETRY } else { wait };
            return EnterOutcome::Rejected(Rejected { wait: Some(wait), is_full });
        }
        let queued = state.join(route);
        let must_start_guard = state.must_start_guard();
        drop(state);
        if must_start_guard {
            StallGuard::begin(self);
        }
        EnterOutcome::Queued(QueueEntry::new(self, queued, limit), wait)
    }

    /// Updates the limits from an answer's headers. Returns the new interval, if it changed.
    pub(super) fn update(
        &self,
        grant: &Grant,
        facts: &LimitFacts,
        refused: bool,
    ) -> Option<Option<Duration>> {
        let request = self.answered(grant);
        self.change(|schedule, now| schedule.update(facts, request, refused, now)).1
    }

    pub(super) fn accepted(&self, grant: &Grant) {
        if !self.is_free() {
            let request = self.answered(grant);
            let mut state = self.state();
            let changed = state.schedule.accepted(request);
            self.publish(&state, rt::now());
            let next = state.queue.front().filter(|_| changed).cloned();
            drop(state);
            wake(next);
        }
    }

    /// An answer refused requests to this resource for the time of `pause`.
    pub(super) fn refused_resource(&self, grant: &Grant, resource: Resource, pause: Duration) {
        let route = grant.target.route();
        self.change(|schedule, now| schedule.refused_resource(resource, pause, route, now));
    }

    fn answered(&self, grant: &Grant) -> AnsweredRequest {
        let since = self.sent.load(Ordering::Relaxed).saturating_sub(grant.number);
        AnsweredRequest { number: grant.number, since, route: grant.target.route() }
    }

    /// A request was refused. Returns the pause, if refusals count, and the new interval, if it changed.
    pub(super) fn refused(
        &self,
        grant: &Grant,
        asked: Option<Duration>,
        is_rate: bool,
    ) -> (Option<Duration>, Option<Option<Duration>>) {
        let before = grant.generation;
        let is_news = is_rate
            && self
                .generation
                .compare_exchange(before, before + 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        let sent = is_news.then(|| self.recent.take(rt::now()));
        let route = grant.target.route();
        self.change(|schedule, now| schedule.refused(asked, sent, route, now))
    }

    /// Changes the schedule, and wakes the first call in the queue.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Schedule, Instant) -> T,
    ) -> (T, Option<Option<Duration>>) {
        let now = rt::now();
        let mut state = self.state();
        let before = state.schedule.interval(now);
        let result = change(&mut state.schedule, now);
        self.publish(&state, now);
        let after = state.schedule.interval(now);
        let next = state.queue.front().cloned();
        drop(state);
        wake(next);
        (result, differs(before, after).then_some(after))
    }

    /// Stops all calls, for at least so long.
    pub(super) fn pause(&self, pause: Duration) {
        let before = self.recent.interval();
        self.change(|schedule, now| schedule.pause(pause, before, now));
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Schedule, Instant) -> T) -> T {
        read(&self.state().schedule, rt::now())
    }

    pub(super) fn waiting(&self) -> u32 {
        self.state().waiting
    }

    pub(super) fn rejected(&self) -> u64 {
        self.state().rejected
    }

    /// How many requests went out since it was made.
    #[cfg(feature = "fleet")]
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts a queued call that was refused.
    pub(super) fn count_rejected(&self) {
        self.state().rejected += 1;
    }

    /// How many calls went out and aren't answered yet; counted only if there is a bound.
    pub(super) fn in_flight(&self) -> u32 {
        self.state().in_flight
    }

    /// A grant, if there is capacity. The lock is held.
    pub(super) fn try_grant(
        self: &Arc<Self>,
        state: &mut LimiterState,
        route: Route,
        behind: u32,
        now: Instant,
    ) -> Option<Grant> {
        let is_bounded = state.is_bounded();
        if is_bounded && !state.shared_in_flight.try_begin(state.in_flight_limit()) {
            return None;
        }
        let contended = std::mem::take(&mut state.contended) || state.has_queue();
        state.schedule.take(route, contended, behind, now);
        self.recent.count(now);
        let counted = is_bounded.then(|| {
            state.in_flight += 1;
            Arc::clone(self)
        });
        self.publish(state, now);
        Some(self.grant(Target::Route(route), counted))
    }

    /// Wakes the first call in the queue; false if there is none.
    pub(super) fn wake_first(&self) -> bool {
        let next = self.state().queue.front().cloned();
        let is_one = next.is_some();
        wake(next);
        is_one
    }

    fn grant(&self, target: Target, counted: Option<Arc<Self>>) -> Grant {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        Grant { generation: self.generation.load(Ordering::Acquire), number, target, counted }
    }

    /// Publishes whether calls must take the lock, as they must if any is queued.
    pub(super) fn publish(&self, state: &LimiterState, now: Instant) {
        let limits = state.waiting > 0 || state.is_bounded() || state.schedule.is_limiting(now);
        self.is_limiting.store(limits, Ordering::Release);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, LimiterState> {
        // Nothing that could panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Shortage ===

impl Drop for Shortage {
    fn drop(&mut self) {
        if let Some(told) = &self.0 {
            told.notify_one();
        }
    }
}

// === impl Grant ===

impl Drop for Grant {
    fn drop(&mut self) {
        let Some(limiter) = self.counted.take() else { return };
        let mut state = limiter.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        let shared_in_flight = Arc::clone(&state.shared_in_flight);
        drop(state);
        shared_in_flight.end();
    }
}

impl KeyedValue for Limiter {
    fn is_at_rest(&self) -> bool {
        let state = self.state();
        let is_used = state.waiting > 0 || state.in_flight > 0;
        !is_used && state.schedule.paused_for(rt::now()).is_none()
    }
}

/// Wakes a queued call, if there is one.
pub(super) fn wake(next: Option<Arc<QueuedCall>>) {
    if let Some(next) = next {
        next.wake();
    }
}

/// Whether two intervals differ by more than rounding.
fn differs(before: Option<Duration>, after: Option<Duration>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => before.abs_diff(after) > before / 100,
        (before, after) => before != after,
    }
}

/// The `Retry-After` of a full queue, if nothing better is known.
const FULL_QUEUE_RETRY: Duration = Duration::from_secs(1);
