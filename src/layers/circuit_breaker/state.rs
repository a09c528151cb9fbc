use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Consecutive, Mode, Throttled};
use super::window::{Mark, Sums, Window};
use crate::event::BreakerState;
use crate::rt::Rng;

/// The machine: `now` goes in, a decision comes out.
///
/// A closed breaker is passed with one load and told of a success with one exchange; the lock is for
/// changes of state and for probes.
#[derive(Debug)]
pub(super) struct Machine {
    config: BreakerConfig,
    epoch: Instant,
    /// The state, which window it writes to, and its generation.
    word: AtomicU64,
    /// When an open breaker lets probes through, in nanoseconds of the epoch.
    until: AtomicU64,
    /// When it last left or came back to the closed state, in nanoseconds of the epoch.
    changed: AtomicU64,
    /// When it was last forced, in nanoseconds of the epoch.
    forced_at: AtomicU64,
    /// Two, so that a result that is late by a whole outage is written where nobody reads.
    windows: [Window; 2],
    in_a_row: AtomicU32,
    /// The window may hold something that speaks against the provider.
    tainted: AtomicBool,
    forced: AtomicU8,
    rejected: AtomicU64,
    abandoned: AtomicU64,
    recovery: Mutex<Recovery>,
}

/// What happened since the breaker was last closed.
#[derive(Debug, Default)]
struct Recovery {
    openings: u32,
    for_slowness: bool,
    /// When each probe that is under way began.
    probing: Vec<Instant>,
    succeeded: u32,
    failed: u32,
}

/// The right to one call, good for the state that gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) began: Instant,
    /// The word it was given under; [`UNTRACKED`] if its result doesn't matter.
    word: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Admission {
    Admitted(Ticket),
    /// Admitted only because the breaker reports and doesn't act.
    WouldReject(Ticket),
    Rejected {
        retry_after: Option<Duration>,
    },
}

/// What a result says of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Success,
    Failure {
        retry_after: Option<Duration>,
    },
    Throttled {
        retry_after: Option<Duration>,
    },
    /// Nothing: it never reached the provider, or its caller left too soon.
    Nothing,
}

/// A change of state, to be told to others once no lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: BreakerState,
    pub(super) to: BreakerState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forced {
    No,
    Open,
    Closed,
}

impl Machine {
    pub(super) fn new(config: BreakerConfig, now: Instant) -> Self {
        let windows = [Window::new(config.window), Window::new(config.window)];
        Self {
            config,
            epoch: now,
            word: AtomicU64::new(CLOSED),
            until: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            forced_at: AtomicU64::new(0),
            windows,
            in_a_row: AtomicU32::new(0),
            tainted: AtomicBool::new(false),
            forced: AtomicU8::new(Forced::No as u8),
            rejected: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            recovery: Mutex::default(),
        }
    }

    /// The way of nearly all calls: the breaker is closed, and nobody needs to know the time.
    ///
    /// `began` is about when the attempt began, and exact enough where slowness doesn't count.
    pub(super) fn pass_closed(&self, began: impl FnOnce() -> Instant) -> Option<Ticket> {
        let word = self.word.load(Ordering::Acquire);
        let passes = state_of(word) == CLOSED && self.config.slow.is_none();
        (passes && self.forced() == Forced::No).then(|| Ticket { began: began(), word })
    }

    /// Asks to make a call.
    pub(super) fn admit(&self, now: Instant, rng: &Rng) -> (Admission, Option<Change>) {
        match self.forced() {
            Forced::Closed => return (Admission::Admitted(Ticket::untracked(now)), None),
            Forced::Open => return (self.reject(now, None), None),
            Forced::No => {}
        }
        let word = self.word.load(Ordering::Acquire);
        match state_of(word) {
            CLOSED => (Admission::Admitted(Ticket { began: now, word }), None),
            OPEN if self.since_epoch(now) < self.until() => {
                (self.reject(now, Some(self.until() - self.since_epoch(now))), None)
            }
            _ => self.admit_probe(now, rng),
        }
    }

    /// Tells the result of a call.
    pub(super) fn record(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let word = self.word.load(Ordering::Acquire);
        if ticket.word != word {
            // It began in another state, or the breaker was forced.
            return None;
        }
        let slow = self
            .config
            .slow
            .is_some_and(|slow| now.saturating_duration_since(ticket.began) > slow.over);
        match state_of(word) {
            CLOSED => self.record_closed(word, verdict, slow, now, rng),
            HALF_OPEN => self.record_probe(ticket, verdict, slow, now, rng),
            _ => None,
        }
    }

    pub(super) fn count_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn force(&self, forced: Forced, now: Instant) -> Option<Change> {
        let from = self.state();
        if self.forced.swap(forced as u8, Ordering::Relaxed) != forced as u8 {
            self.forced_at.store(nanos(self.since_epoch(now)), Ordering::Relaxed);
        }
        let to = self.state();
        (from != to).then_some(Change { from, to })
    }

    /// The state as callers see it.
    pub(super) fn state(&self) -> BreakerState {
        match (self.forced(), state_of(self.word.load(Ordering::Acquire))) {
            (Forced::Closed, _) | (Forced::No, CLOSED) => BreakerState::Closed,
            (Forced::Open, _) | (Forced::No, OPEN) => BreakerState::Open,
            (Forced::No, _) => BreakerState::HalfOpen,
        }
    }

    /// Whether it refuses all calls just now.
    pub(super) fn is_shut(&self) -> bool {
        self.config.mode == Mode::Enforce && self.state() == BreakerState::Open
    }

    /// How long it hasn't been closed, as callers see it.
    pub(super) fn not_closed_for(&self, now: Instant) -> Option<Duration> {
        let closed = state_of(self.word.load(Ordering::Acquire)) == CLOSED;
        let since = match self.forced() {
            Forced::Closed => return None,
            Forced::No if closed => return None,
            Forced::Open if closed => &self.forced_at,
            Forced::Open | Forced::No => &self.changed,
        };
        let since = Duration::from_nanos(since.load(Ordering::Relaxed));
        Some(self.since_epoch(now).saturating_sub(since))
    }

    pub(super) fn sums(&self, now: Instant) -> Sums {
        let word = self.word.load(Ordering::Acquire);
        self.window(word).sums(self.since_epoch(now))
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    pub(super) fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(super) fn config(&self) -> &BreakerConfig {
        &self.config
    }
}

// === closed ===

impl Machine {
    fn record_closed(
        &self,
        word: u64,
        verdict: Verdict,
        slow: bool,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let (failed, retry_after) = match verdict {
            Verdict::Nothing => return None,
            Verdict::Success => (false, None),
            Verdict::Failure { retry_after } => (true, retry_after),
            Verdict::Throttled { retry_after } => {
                (self.config.throttled == Throttled::Always, retry_after)
            }
        };
        self.window(word).record(self.since_epoch(now), Mark { failed, slow });
        let in_a_row = self.count_in_a_row(failed);
        if failed || slow {
            self.tainted.store(true, Ordering::Relaxed);
        } else if !self.tainted.load(Ordering::Relaxed) {
            return None;
        }
        let sums = self.window(word).sums(self.since_epoch(now));
        if sums.failed == 0 && sums.slow == 0 {
            self.tainted.store(false, Ordering::Relaxed);
            return None;
        }
        let for_slowness = self.should_open(sums, in_a_row)?;
        self.open(word, for_slowness, retry_after, now, rng)
    }

    fn count_in_a_row(&self, failed: bool) -> u32 {
        if failed {
            return self.in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        }
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        0
    }

    /// Whether to open, and if so, whether for slowness alone.
    fn should_open(&self, sums: Sums, in_a_row: u32) -> Option<bool> {
        let Sums { total, failed, slow } = sums;
        let enough = total >= self.config.minimum;
        let reached = |rate: crate::Ratio, part: u32| rate.is_reached_by(part.into(), total.into());
        let failing = enough && self.config.failure_rate.is_some_and(|rate| reached(rate, failed));
        let row = match self.config.consecutive {
            Some(Consecutive::Always(row)) => in_a_row >= row,
            Some(Consecutive::BelowMinimum(row)) => !enough && in_a_row >= row,
            None => false,
        };
        let slowly = enough && self.config.slow.is_some_and(|rule| reached(rule.rate, slow));
        (failing || row || slowly).then_some(slowly && !failing && !row)
    }
}

// === open and half-open ===

impl Machine {
    fn reject(&self, now: Instant, retry_after: Option<Duration>) -> Admission {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        match self.config.mode {
            Mode::Enforce => Admission::Rejected { retry_after },
            Mode::ReportOnly => Admission::WouldReject(Ticket::untracked(now)),
        }
    }

    /// Opens, unless somebody else changed the state first.
    fn open(
        &self,
        from: u64,
        for_slowness: bool,
        retry_after: Option<Duration>,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let mut recovery = self.recovery();
        if self.word.load(Ordering::Acquire) != from {
            return None;
        }
        recovery.for_slowness = for_slowness;
        self.open_locked(&mut recovery, from, retry_after, now, rng);
        Some(Change { from: BreakerState::Closed, to: BreakerState::Open })
    }

    fn open_locked(
        &self,
        recovery: &mut Recovery,
        from: u64,
        retry_after: Option<Duration>,
        now: Instant,
        rng: &Rng,
    ) {
        recovery.openings = recovery.openings.saturating_add(1);
        recovery.probing.clear();
        let own = self.open_time(recovery.openings, rng);
        let asked = retry_after.unwrap_or_default().min(self.config.retry_after_cap);
        let now = self.since_epoch(now);
        self.until.store(nanos(now + own.max(asked)), Ordering::Release);
        if state_of(from) == CLOSED {
            self.changed.store(nanos(now), Ordering::Relaxed);
        }
        self.word.store(next(from, OPEN), Ordering::Release);
    }

    /// Grows with each opening in a row, spread on both sides, never over the cap.
    fn open_time(&self, openings: u32, rng: &Rng) -> Duration {
        let config = &self.config;
        let steps = openings.saturating_sub(1).min(MAX_STEPS) as i32;
        let grown = config.open_for.as_secs_f64() * config.open_growth.powi(steps);
        let cap = config.open_cap;
        let time = Duration::try_from_secs_f64(grown).map_or(cap, |time| time.min(cap));
        let spread = time.mul_f64(config.open_jitter.fraction());
        // The cap cuts the range, not the draw: otherwise half of all draws would be the cap.
        rng.between(time - spread.min(time), (time + spread).min(cap))
    }

    fn admit_probe(&self, now: Instant, rng: &Rng) -> (Admission, Option<Change>) {
        let mut recovery = self.recovery();
        let word = self.word.load(Ordering::Acquire);
        let (word, change) = match state_of(word) {
            CLOSED => return (Admission::Admitted(Ticket { began: now, word }), None),
            OPEN if self.since_epoch(now) < self.until() => {
                let left = self.until() - self.since_epoch(now);
                return (self.reject(now, Some(left)), None);
            }
            OPEN => {
                recovery.probing.clear();
                (recovery.succeeded, recovery.failed) = (0, 0);
                let word = next(word, HALF_OPEN);
                self.word.store(word, Ordering::Release);
                let change = Change { from: BreakerState::Open, to: BreakerState::HalfOpen };
                (word, Some(change))
            }
            _ => (word, None),
        };
        let oldest = recovery.probing.iter().min().copied();
        let overdue = oldest.map(|began| began + self.config.probe_limit);
        if overdue.is_some_and(|at| now >= at) {
            // A probe that hangs says enough.
            self.open_locked(&mut recovery, word, None, now, rng);
            let left = self.until().saturating_sub(self.since_epoch(now));
            let change = Change { from: BreakerState::HalfOpen, to: BreakerState::Open };
            return (self.reject(now, Some(left)), Some(change));
        }
        let used = recovery.probing.len() as u32 + recovery.succeeded + recovery.failed;
        if used < self.config.probes {
            recovery.probing.push(now);
            return (Admission::Admitted(Ticket { began: now, word }), change);
        }
        let left = overdue.map(|at| at.saturating_duration_since(now));
        (self.reject(now, left), change)
    }

    fn record_probe(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        slow: bool,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let mut recovery = self.recovery();
        if self.word.load(Ordering::Acquire) != ticket.word {
            return None;
        }
        let slot = recovery.probing.iter().position(|began| *began == ticket.began)?;
        recovery.probing.swap_remove(slot);
        let took = now.saturating_duration_since(ticket.began);
        let too_slow = slow && recovery.for_slowness || took >= self.config.probe_limit;
        let retry_after = match verdict {
            Verdict::Nothing => return None,
            Verdict::Success if !too_slow => None,
            Verdict::Throttled { .. } if self.config.throttled == Throttled::Never => None,
            Verdict::Success => Some(None),
            Verdict::Failure { retry_after } | Verdict::Throttled { retry_after } => {
                Some(retry_after)
            }
        };
        match retry_after {
            None => recovery.succeeded += 1,
            Some(_) => recovery.failed += 1,
        }
        if recovery.succeeded >= self.config.probe_successes {
            self.close_locked(&mut recovery, ticket.word, now);
            return Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Closed });
        }
        if recovery.failed > self.config.probes - self.config.probe_successes {
            self.open_locked(&mut recovery, ticket.word, retry_after.flatten(), now, rng);
            return Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Open });
        }
        None
    }

    fn close_locked(&self, recovery: &mut Recovery, from: u64, now: Instant) {
        *recovery = Recovery::default();
        let word = next(from, CLOSED) ^ OTHER_WINDOW;
        self.window(word).clear();
        self.in_a_row.store(0, Ordering::Relaxed);
        self.tainted.store(false, Ordering::Relaxed);
        self.changed.store(nanos(self.since_epoch(now)), Ordering::Relaxed);
        self.word.store(word, Ordering::Release);
    }

    fn recovery(&self) -> MutexGuard<'_, Recovery> {
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self) -> Duration {
        Duration::from_nanos(self.until.load(Ordering::Acquire))
    }

    fn since_epoch(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    fn window(&self, word: u64) -> &Window {
        &self.windows[usize::from(word & OTHER_WINDOW != 0)]
    }

    fn forced(&self) -> Forced {
        match self.forced.load(Ordering::Relaxed) {
            forced if forced == Forced::Open as u8 => Forced::Open,
            forced if forced == Forced::Closed as u8 => Forced::Closed,
            _ => Forced::No,
        }
    }
}

impl Ticket {
    fn untracked(began: Instant) -> Self {
        Self { began, word: UNTRACKED }
    }
}

fn state_of(word: u64) -> u64 {
    word & STATE
}

/// The same window, another state, a new generation.
fn next(word: u64, state: u64) -> u64 {
    (word & !STATE).wrapping_add(GENERATION) | state
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;
const STATE: u64 = 0b11;
/// Set where the second window is in use.
const OTHER_WINDOW: u64 = 0b100;
const GENERATION: u64 = 0b1000;
/// No state has this word: 3 is none of the states.
const UNTRACKED: u64 = u64::MAX;
/// Growth past this many steps has met every cap.
const MAX_STEPS: u32 = 1_000;
