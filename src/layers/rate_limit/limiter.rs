use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::RateLimitConfig;
use super::flights::Flights;
use super::learned::Asked;
use super::queue::{State, Ticket, Waiter};
use super::recent::Recent;
use super::resources::{Route, Target};
use super::roll_call::RollCall;
use super::state::Schedule;
use crate::outcome::{LimitFacts, Resource};
use crate::pattern::capacity::Capacity;
use crate::pattern::keyed::KeyedValue;
use crate::pattern::ownership::Ownership;
use crate::rt;

/// The schedule, and the queue for it.
///
/// As long as nothing limits requests, a call costs a few loads. Only the one whose turn is next has
/// a timer; the others are woken one by the other, and a [`RollCall`] sees to it that one who is
/// woken and isn't there breaks no chain.
#[derive(Debug)]
pub(super) struct Limiter {
    /// Something limits requests.
    limits: AtomicBool,
    /// Counts refusals that were news: what was sent before one and refused after it is its echo.
    generation: AtomicU64,
    /// How many requests ever went.
    sent: AtomicU64,
    recent: Recent,
    state: Mutex<State>,
    pub(super) ownership: Ownership,
}

/// The right to one request, until it is answered.
#[derive(Debug)]
pub(super) struct Turn {
    /// When that was, for what becomes of it.
    generation: u64,
    /// How many requests had gone by then, itself included.
    number: u64,
    target: Target,
    /// Where requests under way are counted.
    counted: Option<Arc<Limiter>>,
}

#[derive(Debug)]
pub(super) enum Entry {
    Now(Turn),
    /// For about so long.
    Queued(Ticket, Duration),
    /// Its turn would come too late, or the queue is full.
    Rejected(Rejected),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rejected {
    /// How long until its turn, where that is known.
    pub(super) wait: Option<Duration>,
    pub(super) is_full: bool,
}

impl Limiter {
    pub(super) fn new(config: &RateLimitConfig, room: Option<Arc<dyn Capacity>>) -> Self {
        Self::beside(config, room, Arc::default())
    }

    /// One that shares a bound on calls under way with others.
    pub(super) fn beside(
        config: &RateLimitConfig,
        room: Option<Arc<dyn Capacity>>,
        flights: Arc<Flights>,
    ) -> Self {
        let now = rt::now();
        let state = State::new(Schedule::new(config, now), room, flights);
        Self {
            limits: AtomicBool::new(state.is_bounded() || state.schedule.is_limiting(now)),
            generation: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            recent: Recent::new(now),
            state: Mutex::new(state),
            ownership: Ownership::default(),
        }
    }

    /// Other settings, and other places further in.
    pub(super) fn reconfigure(&self, config: &RateLimitConfig, room: Option<Arc<dyn Capacity>>) {
        self.state().room = room;
        self.change(|schedule, now| schedule.reconfigure(config, now));
    }

    /// Whether a call may pass just now, as far as can be told without asking for its turn.
    pub(super) fn is_free(&self) -> bool {
        !self.limits.load(Ordering::Acquire)
    }

    /// Asks for a turn; `began` is about now, and `latest` when waiting has lost its sense.
    pub(super) fn enter(
        self: &Arc<Self>,
        target: Target,
        began: Instant,
        latest: impl FnOnce(Instant) -> Option<Instant>,
    ) -> Entry {
        if self.is_free() {
            self.recent.count(began);
            return Entry::Now(self.turn(target, None));
        }
        let (now, route) = (rt::now(), target.route());
        let mut state = self.state();
        let is_free = state.before() == 0 && state.schedule.ready_at(route, now) <= now;
        if is_free
            && !state.flights.is_waited_for()
            && let Some(turn) = self.give_turn(&mut state, route, 0, now)
        {
            state.queue.clear();
            return Entry::Now(turn);
        }
        state.pressed = true;
        if let Some(until) = state.schedule.stopped_too_long(route, now) {
            state.rejected += 1;
            let wait = Some(until.saturating_duration_since(now));
            return Entry::Rejected(Rejected { wait, is_full: false });
        }
        let turn = state.schedule.ready_after(state.before(), route, now);
        let wait = turn.saturating_duration_since(now);
        let config = state.schedule.config();
        let limit = config.max_wait.map(|limit| rt::after(now, limit));
        let limit = limit.into_iter().chain(latest(now)).min();
        let is_full = state.waiting >= config.queue;
        if is_full || limit.is_some_and(|limit| turn >= limit) {
            state.rejected += 1;
            // Where nothing but places bounds it, nobody knows when there is room: not at once.
            let wait = if is_full && wait.is_zero() { FULL } else { wait };
            return Entry::Rejected(Rejected { wait: Some(wait), is_full });
        }
        let waiter = state.join(route);
        let must_watch = state.must_watch();
        drop(state);
        if must_watch {
            RollCall::begin(self);
        }
        Entry::Queued(Ticket::new(self, waiter, limit), wait)
    }

    /// What an answer told of the provider's limits, a refusal or not; the interval, if it is another one
    /// now.
    pub(super) fn hear(
        &self,
        turn: &Turn,
        facts: &LimitFacts,
        refused: bool,
    ) -> Option<Option<Duration>> {
        let asked = self.asked(turn);
        self.change(|schedule, now| schedule.hear(facts, asked, refused, now)).1
    }

    pub(super) fn accepted(&self, turn: &Turn) {
        if !self.is_free() {
            let asked = self.asked(turn);
            let mut state = self.state();
            let changed = state.schedule.accepted(asked);
            self.settle(&state, rt::now());
            let next = state.queue.front().filter(|_| changed).cloned();
            drop(state);
            wake(next);
        }
    }

    /// An answer said that what goes to this resource is to wait for so long.
    pub(super) fn refused_resource(&self, turn: &Turn, resource: Resource, pause: Duration) {
        let route = turn.target.route();
        self.change(|schedule, now| schedule.refused_resource(resource, pause, route, now));
    }

    fn asked(&self, turn: &Turn) -> Asked {
        let since = self.sent.load(Ordering::Relaxed).saturating_sub(turn.number);
        Asked { number: turn.number, since, route: turn.target.route() }
    }

    /// An answer asked for less; the pause, if that is heeded, and the interval if it is another one now.
    pub(super) fn refused(
        &self,
        turn: &Turn,
        asked: Option<Duration>,
        is_rate: bool,
    ) -> (Option<Duration>, Option<Option<Duration>>) {
        let before = turn.generation;
        let is_news = is_rate
            && self
                .generation
                .compare_exchange(before, before + 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        let sent = is_news.then(|| self.recent.take(rt::now()));
        let route = turn.target.route();
        self.change(|schedule, now| schedule.refused(asked, sent, route, now))
    }

    /// Changes the schedule; whoever is next looks at it again.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Schedule, Instant) -> T,
    ) -> (T, Option<Option<Duration>>) {
        let now = rt::now();
        let mut state = self.state();
        let before = state.schedule.interval(now);
        let result = change(&mut state.schedule, now);
        self.settle(&state, now);
        let after = state.schedule.interval(now);
        let next = state.queue.front().cloned();
        drop(state);
        wake(next);
        (result, differs(before, after).then_some(after))
    }

    /// Everybody stops, for at least so long.
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

    /// A call that had queued was refused after all.
    pub(super) fn count_rejected(&self) {
        self.state().rejected += 1;
    }

    /// How many calls were let through and aren't answered yet, where that is bounded.
    pub(super) fn under_way(&self) -> u32 {
        self.state().under_way
    }

    /// A turn now, if there is room; the lock is held.
    pub(super) fn give_turn(
        self: &Arc<Self>,
        state: &mut State,
        route: Route,
        behind: u32,
        now: Instant,
    ) -> Option<Turn> {
        let is_bounded = state.is_bounded();
        if is_bounded && !state.flights.begin(state.most()) {
            return None;
        }
        let pressed = std::mem::take(&mut state.pressed) || state.is_queue();
        state.schedule.take(route, pressed, behind, now);
        self.recent.count(now);
        let counted = is_bounded.then(|| {
            state.under_way += 1;
            Arc::clone(self)
        });
        self.settle(state, now);
        Some(self.turn(Target::Route(route), counted))
    }

    /// The first in the queue looks again whether it may go; whether there is one.
    pub(super) fn wake_first(&self) -> bool {
        let next = self.state().queue.front().cloned();
        let is_one = next.is_some();
        wake(next);
        is_one
    }

    fn turn(&self, target: Target, counted: Option<Arc<Self>>) -> Turn {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        Turn { generation: self.generation.load(Ordering::Acquire), number, target, counted }
    }

    /// Notes whether calls must ask for their turn. Where anybody waits, they must.
    pub(super) fn settle(&self, state: &State, now: Instant) {
        let limits = state.waiting > 0 || state.is_bounded() || state.schedule.is_limiting(now);
        self.limits.store(limits, Ordering::Release);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Turn ===

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(limiter) = self.counted.take() else { return };
        let mut state = limiter.state();
        state.under_way = state.under_way.saturating_sub(1);
        let flights = Arc::clone(&state.flights);
        drop(state);
        flights.end();
    }
}

impl KeyedValue for Limiter {
    fn is_at_rest(&self) -> bool {
        let state = self.state();
        let is_used = state.waiting > 0 || state.under_way > 0;
        !is_used && state.schedule.paused_for(rt::now()).is_none()
    }
}

/// Whoever is next looks at the schedule again.
pub(super) fn wake(next: Option<Arc<Waiter>>) {
    if let Some(next) = next {
        next.wake();
    }
}

/// Whether two intervals are more than a rounding apart.
fn differs(before: Option<Duration>, after: Option<Duration>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => before.abs_diff(after) > before / 100,
        (before, after) => before != after,
    }
}

/// When to come back to a full queue, where that is not known.
const FULL: Duration = Duration::from_secs(1);
