//! How a breaker opens, lets probes through and closes again.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::{Mode, Throttled};
use super::state::{
    Admission, CLOSED, Change, HALF_OPEN, Machine, OPEN, OTHER_WINDOW, Ticket, Verdict, nanos,
    next, state_of,
};
use crate::context::Context;
use crate::event::BreakerState;
use crate::rt::{self, Rng};

/// What happened since the breaker was last closed.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    openings: u32,
    for_slowness: bool,
    probing: Vec<Probe>,
    /// How many probes there were.
    probes: u32,
    succeeded: u32,
    failed: u32,
}

/// A probe that is under way.
#[derive(Debug)]
struct Probe {
    ticket: Ticket,
    context: Context,
    /// When a good head came; the body is being read.
    head: Option<Instant>,
}

impl Machine {
    pub(super) fn reject(&self, now: Instant, retry_after: Option<Duration>) -> Admission {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        match self.tuning().config.mode {
            Mode::Enforce => Admission::Rejected { retry_after },
            Mode::ReportOnly => Admission::WouldReject(Ticket::untracked(now)),
        }
    }

    /// Opens, unless somebody else changed the state first.
    pub(super) fn open(
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
        let asked = retry_after.unwrap_or_default().min(self.tuning().config.retry_after_cap);
        let now = self.since_epoch(now);
        self.until.store(nanos(now.saturating_add(own.max(asked))), Ordering::Release);
        if state_of(from) == CLOSED {
            self.changed.store(nanos(now), Ordering::Relaxed);
        }
        self.word.store(next(from, OPEN), Ordering::Release);
    }

    /// Grows with each opening in a row, spread on both sides, never over the cap.
    fn open_time(&self, openings: u32, rng: &Rng) -> Duration {
        let config = &self.tuning().config;
        let steps = openings.saturating_sub(1).min(MAX_STEPS) as i32;
        let grown = config.open_for.as_secs_f64() * config.open_growth.powi(steps);
        let cap = config.open_cap;
        let time = Duration::try_from_secs_f64(grown).map_or(cap, |time| time.min(cap));
        // The longest times round up on the way through a float.
        let spread = time.as_secs_f64() * config.open_jitter.fraction();
        let spread = Duration::try_from_secs_f64(spread).unwrap_or(time);
        // The cap cuts the range, not the draw: otherwise half of all draws would be the cap.
        rng.between(time - spread.min(time), time.saturating_add(spread).min(cap))
    }

    pub(super) fn admit_probe(
        &self,
        context: &Context,
        now: Instant,
        rng: &Rng,
    ) -> (Admission, Option<Change>) {
        let mut recovery = self.recovery();
        let tuning = self.tuning();
        let word = self.word.load(Ordering::Acquire);
        let (word, change) = match state_of(word) {
            CLOSED => return (Admission::Admitted(Ticket::new(now, word)), None),
            OPEN if self.since_epoch(now) < self.until() => {
                let left = self.until() - self.since_epoch(now);
                return (self.reject(now, Some(left)), None);
            }
            OPEN => {
                recovery.probing.clear();
                recovery.recount();
                let word = next(word, HALF_OPEN);
                self.word.store(word, Ordering::Release);
                let change = Change { from: BreakerState::Open, to: BreakerState::HalfOpen };
                (word, Some(change))
            }
            _ => (word, None),
        };
        let limit = tuning.config.probe_limit;
        if let Some(change) = self.settle_overdue(&mut recovery, word, limit, now, rng) {
            let admission = match change.to {
                BreakerState::Closed => {
                    let word = self.word.load(Ordering::Acquire);
                    Admission::Admitted(Ticket::new(now, word))
                }
                _ => self.reject(now, Some(self.until().saturating_sub(self.since_epoch(now)))),
            };
            return (admission, Some(change));
        }
        let dues = || recovery.probing.iter().map(|probe| probe.due(limit));
        // Those that are due wait in here: they will tell in their time, and until then, others may.
        let counted = dues().filter(|due| now < *due).count() as u32;
        if counted + recovery.succeeded + recovery.failed < tuning.config.probes {
            let ticket = recovery.begin_probe(context, now, word);
            return (Admission::Admitted(ticket), change);
        }
        let left = dues().min().map(|due| due.saturating_duration_since(now));
        (self.reject(now, left), change)
    }

    /// What the probes say that have had their time: one whose good answer is still being read is a
    /// good one, and one that hangs says enough.
    fn settle_overdue(
        &self,
        recovery: &mut Recovery,
        word: u64,
        limit: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        while let Some((ticket, head)) = recovery.take_answered(limit, now) {
            let took = head.saturating_duration_since(ticket.left);
            let change = self.judge(recovery, ticket, Verdict::Success, took, now, rng);
            if change.is_some() {
                return change;
            }
        }
        let hangs = |probe: &Probe| !probe.is_here() && now >= probe.due(limit);
        if !recovery.probing.iter().any(hangs) {
            return None;
        }
        self.open_locked(recovery, word, None, now, rng);
        Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Open })
    }

    /// A probe has a good head, and its body is being read.
    pub(super) fn note_head(&self, ticket: Ticket, at: Instant) {
        if state_of(ticket.word) != HALF_OPEN {
            return;
        }
        let mut recovery = self.recovery();
        if self.word.load(Ordering::Acquire) == ticket.word
            && let Some(slot) = recovery.slot(ticket)
        {
            let probe = &mut recovery.probing[slot];
            (probe.ticket, probe.head) = (ticket, Some(at));
        }
    }

    pub(super) fn record_probe(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let mut recovery = self.recovery();
        if self.word.load(Ordering::Acquire) != ticket.word {
            return None;
        }
        let slot = recovery.slot(ticket)?;
        recovery.probing.swap_remove(slot);
        let took = now.saturating_duration_since(ticket.left);
        self.judge(&mut recovery, ticket, verdict, took, now, rng)
    }

    /// Counts what a probe came to, which was in its slot until now.
    fn judge(
        &self,
        recovery: &mut Recovery,
        ticket: Ticket,
        verdict: Verdict,
        took: Duration,
        now: Instant,
        rng: &Rng,
    ) -> Option<Change> {
        let config = &self.tuning().config;
        let slow = recovery.for_slowness && config.is_slow(took);
        let too_slow = slow || took >= config.probe_limit;
        let retry_after = match verdict {
            Verdict::Nothing => return None,
            Verdict::Success if !too_slow => None,
            Verdict::Throttled { .. } if config.throttled == Throttled::Never => None,
            Verdict::Success => Some(None),
            Verdict::Failure { retry_after } | Verdict::Throttled { retry_after } => {
                Some(retry_after)
            }
        };
        match retry_after {
            None => recovery.succeeded += 1,
            Some(_) => recovery.failed += 1,
        }
        if recovery.succeeded >= config.probe_successes {
            self.close_locked(recovery, ticket.word, now);
            return Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Closed });
        }
        if recovery.failed > config.probes.saturating_sub(config.probe_successes) {
            self.open_locked(recovery, ticket.word, retry_after.flatten(), now, rng);
            return Some(Change { from: BreakerState::HalfOpen, to: BreakerState::Open });
        }
        None
    }

    fn close_locked(&self, recovery: &mut Recovery, from: u64, now: Instant) {
        *recovery = Recovery::default();
        let word = next(from, CLOSED) ^ OTHER_WINDOW;
        self.tuning().window(word).clear();
        self.in_a_row.store(0, Ordering::Relaxed);
        self.tainted.store(false, Ordering::Relaxed);
        self.changed.store(nanos(self.since_epoch(now)), Ordering::Relaxed);
        self.word.store(word, Ordering::Release);
    }

    /// Locked before the settings, where both are: they change under it.
    pub(super) fn recovery(&self) -> MutexGuard<'_, Recovery> {
        self.recovery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Recovery ===

impl Recovery {
    /// Begins the count anew: what came back is not measured by another number of probes.
    pub(super) fn recount(&mut self) {
        (self.succeeded, self.failed) = (0, 0);
    }

    fn begin_probe(&mut self, context: &Context, now: Instant, word: u64) -> Ticket {
        self.probes = self.probes.wrapping_add(1);
        let ticket = Ticket { probe: self.probes, ..Ticket::new(now, word) };
        self.probing.push(Probe { ticket, context: context.clone(), head: None });
        ticket
    }

    fn slot(&self, ticket: Ticket) -> Option<usize> {
        self.probing.iter().position(|probe| probe.ticket.probe == ticket.probe)
    }

    /// Takes out a probe that is due and whose good head has come, and when that was.
    fn take_answered(&mut self, limit: Duration, now: Instant) -> Option<(Ticket, Instant)> {
        let is_due = |probe: &Probe| probe.head.is_some() && now >= probe.due(limit);
        let slot = self.probing.iter().position(is_due)?;
        let Probe { ticket, head, .. } = self.probing.swap_remove(slot);
        Some((ticket, head?))
    }
}

// === impl Probe ===

impl Probe {
    /// It waits in a queue of ours: the provider has nothing to do with it yet.
    fn is_here(&self) -> bool {
        self.head.is_none() && self.context.call().is_here()
    }

    /// When it has had its time.
    fn due(&self, limit: Duration) -> Instant {
        let left = match self.head {
            Some(_) => self.ticket.left,
            None => self.ticket.began.max(self.context.call().attempt_began()),
        };
        rt::after(left, limit)
    }
}

/// Growth past this many steps has met every cap.
const MAX_STEPS: u32 = 1_000;
