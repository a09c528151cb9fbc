use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Consecutive, Mode, Throttled};
use super::recovery::Recovery;
use super::window::{Mark, Sums, Window};
use crate::context::Context;
use crate::event::BreakerState;
use crate::rt::Rng;

/// The machine: `now` goes in, a decision comes out.
///
/// A closed breaker is passed with one load and told of a success with one exchange; the lock is for
/// changes of state and for probes.
#[derive(Debug)]
pub(super) struct Machine {
    tuning: RwLock<Arc<Tuning>>,
    /// Slowness counts, so that every call needs to know the time.
    times: AtomicBool,
    epoch: Instant,
    /// The state, which window it writes to, and its generation.
    pub(super) word: AtomicU64,
    /// When an open breaker lets probes through, in nanoseconds of the epoch.
    pub(super) until: AtomicU64,
    /// When it last left or came back to the closed state, in nanoseconds of the epoch.
    pub(super) changed: AtomicU64,
    /// When it was last forced, in nanoseconds of the epoch.
    forced_at: AtomicU64,
    pub(super) in_a_row: AtomicU32,
    /// The window may hold something that speaks against the provider.
    pub(super) tainted: AtomicBool,
    forced: AtomicU8,
    /// How often it was forced or released.
    forcings: AtomicU64,
    pub(super) rejected: AtomicU64,
    abandoned: AtomicU64,
    pub(super) recovery: Mutex<Recovery>,
}

/// What can be changed while calls are under way.
#[derive(Debug)]
pub(super) struct Tuning {
    pub(super) config: BreakerConfig,
    /// Two, so that a result that is late by a whole outage is written where nobody reads.
    windows: Arc<[Window; 2]>,
}

/// The right to one call, good for the state that gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) began: Instant,
    /// When the request left, where it waited in a queue further in: slowness is judged from here.
    pub(super) left: Instant,
    /// The word it was given under; [`UNTRACKED`] if its result doesn't matter.
    pub(super) word: u64,
    /// Which probe it is for, where it is for one.
    pub(super) probe: u32,
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
        let windows = Arc::new([Window::new(config.window), Window::new(config.window)]);
        Self {
            times: AtomicBool::new(config.slow.is_some()),
            tuning: RwLock::new(Arc::new(Tuning { config, windows })),
            epoch: now,
            word: AtomicU64::new(CLOSED),
            until: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            forced_at: AtomicU64::new(0),
            in_a_row: AtomicU32::new(0),
            tainted: AtomicBool::new(false),
            forced: AtomicU8::new(Forced::No as u8),
            forcings: AtomicU64::new(0),
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
        let passes = state_of(word) == CLOSED && !self.times.load(Ordering::Relaxed);
        (passes && self.forced() == Forced::No).then(|| Ticket::new(began(), word))
    }

    /// Asks to make a call.
    pub(super) fn admit(
        &self,
        context: &Context,
        now: Instant,
        rng: &Rng,
    ) -> (Admission, Option<Change>) {
        match self.forced() {
            Forced::Closed => return (Admission::Admitted(Ticket::untracked(now)), None),
            Forced::Open => return (self.reject(now, None), None),
            Forced::No => {}
        }
        let word = self.word.load(Ordering::Acquire);
        match state_of(word) {
            CLOSED => (Admission::Admitted(Ticket::new(now, word)), None),
            OPEN if self.since_epoch(now) < self.until() => {
                (self.reject(now, Some(self.until() - self.since_epoch(now))), None)
            }
            _ => self.admit_probe(context, now, rng),
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
        match state_of(word) {
            CLOSED => {
                let tuning = self.tuning();
                let slow = tuning.config.is_slow(now.saturating_duration_since(ticket.left));
                self.record_closed(&tuning, word, verdict, slow, now, rng)
            }
            HALF_OPEN => self.record_probe(ticket, verdict, now, rng),
            _ => None,
        }
    }

    pub(super) fn count_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn force(&self, forced: Forced, now: Instant) -> Option<Change> {
        let from = self.state();
        self.forcings.fetch_add(1, Ordering::Relaxed);
        if self.forced.swap(forced as u8, Ordering::Relaxed) != forced as u8 {
            self.forced_at.store(nanos(self.since_epoch(now)), Ordering::Relaxed);
        }
        let to = self.state();
        (from != to).then_some(Change { from, to })
    }

    pub(super) fn forcings(&self) -> u64 {
        self.forcings.load(Ordering::Relaxed)
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
        self.state() == BreakerState::Open && self.tuning().config.mode == Mode::Enforce
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
        self.tuning().window(word).sums(self.since_epoch(now))
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    pub(super) fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(super) fn tuning(&self) -> Arc<Tuning> {
        Arc::clone(&self.tuning.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Other settings from now on; the state stays, and so do the results if the window does.
    pub(super) fn reconfigure(&self, config: BreakerConfig) {
        let mut recovery = self.recovery();
        let mut tuning = self.tuning.write().unwrap_or_else(PoisonError::into_inner);
        let before = &tuning.config;
        let windows = match before.window == config.window {
            true => Arc::clone(&tuning.windows),
            false => {
                self.in_a_row.store(0, Ordering::Relaxed);
                Arc::new([Window::new(config.window), Window::new(config.window)])
            }
        };
        if (before.probes, before.probe_successes) != (config.probes, config.probe_successes) {
            recovery.recount();
        }
        self.times.store(config.slow.is_some(), Ordering::Relaxed);
        *tuning = Arc::new(Tuning { config, windows });
    }
}

// === closed ===

impl Machine {
    fn record_closed(
        &self,
        tuning: &Tuning,
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
                (tuning.config.throttled == Throttled::Always, retry_after)
            }
        };
        tuning.window(word).record(self.since_epoch(now), Mark { failed, slow });
        let in_a_row = self.count_in_a_row(failed);
        if failed || slow {
            self.tainted.store(true, Ordering::Relaxed);
        } else if !self.tainted.load(Ordering::Relaxed) {
            return None;
        }
        let sums = tuning.window(word).sums(self.since_epoch(now));
        if sums.failed == 0 && sums.slow == 0 {
            self.tainted.store(false, Ordering::Relaxed);
            return None;
        }
        let for_slowness = tuning.should_open(sums, in_a_row)?;
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
}

impl Tuning {
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

    pub(super) fn window(&self, word: u64) -> &Window {
        &self.windows[usize::from(word & OTHER_WINDOW != 0)]
    }
}

// === what both halves need ===

impl Machine {
    pub(super) fn until(&self) -> Duration {
        Duration::from_nanos(self.until.load(Ordering::Acquire))
    }

    pub(super) fn since_epoch(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    pub(super) fn forced(&self) -> Forced {
        match self.forced.load(Ordering::Relaxed) {
            forced if forced == Forced::Open as u8 => Forced::Open,
            forced if forced == Forced::Closed as u8 => Forced::Closed,
            _ => Forced::No,
        }
    }
}

impl Ticket {
    pub(super) fn new(began: Instant, word: u64) -> Self {
        Self { began, left: began, word, probe: 0 }
    }

    pub(super) fn untracked(began: Instant) -> Self {
        Self::new(began, UNTRACKED)
    }
}

pub(super) fn state_of(word: u64) -> u64 {
    word & STATE
}

/// The same window, another state, a new generation.
pub(super) fn next(word: u64, state: u64) -> u64 {
    (word & !STATE).wrapping_add(GENERATION) | state
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) const CLOSED: u64 = 0;
pub(super) const OPEN: u64 = 1;
pub(super) const HALF_OPEN: u64 = 2;
const STATE: u64 = 0b11;
/// Set where the second window is in use.
pub(super) const OTHER_WINDOW: u64 = 0b100;
const GENERATION: u64 = 0b1000;
/// No state has this word: 3 is none of the states.
const UNTRACKED: u64 = u64::MAX;
