//! The machine: `now` goes in, a decision comes out.

use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Throttled};
use super::outage::{Cause, Outage, SuccessGap};
use super::probes::Probes;
use super::release::Release;
use crate::rt::{self, Rng};
use crate::terms::BreakerState;

/// The state of a circuit breaker, and the outage that caused it.
#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    forced: Forced,
    /// When it was last forced into another state.
    forced_at: Instant,
    /// The current outage, or the last one.
    outage: Option<Outage>,
    success_gap: SuccessGap,
    /// The state that the last event reported.
    reported: BreakerState,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Probes),
    /// Closed again; the calls that were held are released a few at a time.
    Releasing(Release),
}

/// The permission to send one call, valid for the state that granted it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    pub(super) admitted_at: Instant,
    /// When the request left the last queue further in; latency is measured from here.
    pub(super) sent_at: Instant,
    /// The generation in which it was granted; [`UNTRACKED`] if its result doesn't count.
    pub(super) generation: u64,
    pub(super) role: Role,
    /// A successful head has come.
    pub(super) is_answered: bool,
}

/// Why a call was admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Normal,
    /// As the probe with this number.
    Probe(u32),
    /// It was held, or came while held calls were being released.
    Released,
}

/// Whether a call may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallSafety {
    /// It may: it is the first to probe.
    Safe,
    /// It may not: it becomes a probe only if no safe call does.
    Unsafe,
}

/// Why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) cause: Cause,
    /// How long nothing has succeeded; for other causes, how long it has lasted.
    pub(super) lasts: Duration,
    /// How many attempts have failed in this time.
    pub(super) failed: u32,
    /// The time until the next probe; `None` while it is forced open.
    pub(super) next: Option<Duration>,
}

/// What an attempt's result says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptOutcome {
    Success,
    Failure {
        retry_after: Option<Duration>,
    },
    Throttled {
        retry_after: Option<Duration>,
    },
    /// The peer refused the stream or closed the connection. While other calls are answered, this is
    /// a server's routine restart; while none are, the provider is down.
    Refused,
    /// Nothing: it never reached the provider, or its caller dropped it too early.
    Neutral,
}

/// A change of state, to be emitted once no lock is held.
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
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Closed,
            forced: Forced::No,
            forced_at: now,
            outage: None,
            success_gap: SuccessGap::new(now),
            reported: BreakerState::Closed,
        }
    }

    /// Whether calls are admitted without the lock.
    pub(super) fn is_closed_unforced(&self) -> bool {
        self.forced == Forced::No && matches!(self.state, State::Closed)
    }

    /// Admits or refuses a call. `held` says whether other calls are held, which go first.
    pub(super) fn admit(
        &mut self,
        safety: CallSafety,
        held: bool,
        config: &BreakerConfig,
        now: Instant,
        rng: &Rng,
    ) -> Result<Role, Refusal> {
        match (self.forced, &mut self.state) {
            (Forced::Closed, _) | (Forced::No, State::Closed) => Ok(Role::Normal),
            (Forced::Open, _) => Err(self.refusal(None, now)),
            (Forced::No, State::Open(probes)) => match probes.admit(safety, config, now, rng) {
                Ok(probe) => Ok(Role::Probe(probe)),
                Err(next) => Err(self.refusal(Some(next), now)),
            },
            (Forced::No, State::Releasing(release)) => {
                if !held && release.take(now) {
                    return Ok(Role::Released);
                }
                Err(self.refusal(Some(Duration::ZERO), now))
            }
        }
    }

    /// Why a call of this kind is refused, and when one may go.
    pub(super) fn why(&self, safety: CallSafety, config: &BreakerConfig, now: Instant) -> Refusal {
        let next = match (&self.state, self.forced) {
            (State::Open(probes), Forced::No) => Some(probes.next_in(safety, config, now)),
            (_, Forced::Open) => None,
            _ => Some(Duration::ZERO),
        };
        self.refusal(next, now)
    }

    fn refusal(&self, next: Option<Duration>, now: Instant) -> Refusal {
        let (cause, since, failed) = match (&self.outage, self.forced, &self.state) {
            (Some(outage), Forced::No, State::Open(_)) => {
                (outage.cause, outage.no_success_since, outage.failed)
            }
            (Some(outage), Forced::No, _) => (Cause::Releasing, outage.ended_at(now), 0),
            _ => (Cause::Manual, self.forced_at, 0),
        };
        Refusal { cause, lasts: now.saturating_duration_since(since), failed, next }
    }

    /// A success came after failures, while the breaker was closed.
    pub(super) fn success_gap_ended(&mut self, gap: Duration, now: Instant) {
        self.success_gap.ended(gap, now);
    }

    /// How long nothing may succeed before failures in a row are an outage.
    pub(super) fn success_gap_limit(&self, config: &BreakerConfig, now: Instant) -> Duration {
        self.success_gap.longest(config.no_success_for, now)
    }

    /// Opens a closed breaker.
    pub(super) fn open(
        &mut self,
        cause: Cause,
        asked: Option<Duration>,
        config: &BreakerConfig,
        now: Instant,
        rng: &Rng,
    ) {
        self.begin_outage(cause, now);
        let mut probes = Probes::new(cause == Cause::Slowness, config, now, rng);
        probes.put_off(asked, config, now);
        self.state = State::Open(probes);
    }

    /// Opens; after `time`, calls become probes.
    pub(super) fn open_manually(&mut self, time: Duration, gap: Duration, now: Instant) {
        if self.outage.is_none_or(|outage| !outage.goes_on()) {
            self.begin_outage(Cause::Manual, now);
        }
        self.state = State::Open(Probes::due_in(time, gap, now));
    }

    fn begin_outage(&mut self, cause: Cause, now: Instant) {
        self.outage = Some(Outage::begin(cause, self.outage, now));
    }

    /// Records a probe's result; true if the breaker is to close.
    pub(super) fn judge_probe(
        &mut self,
        probe: u32,
        outcome: AttemptOutcome,
        took: Duration,
        config: &BreakerConfig,
        now: Instant,
    ) -> bool {
        let State::Open(probes) = &mut self.state else { return false };
        if !probes.take(probe) {
            return false;
        }
        let asked = match outcome {
            AttemptOutcome::Neutral => {
                probes.give_back(now);
                return false;
            }
            AttemptOutcome::Success if !probes.is_too_slow(took, config) => None,
            AttemptOutcome::Throttled { .. } if config.throttled == Throttled::Never => None,
            AttemptOutcome::Success | AttemptOutcome::Refused => Some(None),
            AttemptOutcome::Failure { retry_after } | AttemptOutcome::Throttled { retry_after } => {
                Some(retry_after)
            }
        };
        match asked {
            None => return probes.succeeded(config),
            Some(asked) => {
                probes.failed(config);
                probes.put_off(asked, config, now);
            }
        }
        if let Some(outage) = &mut self.outage {
            outage.count_failure(now);
        }
        false
    }

    /// A probe was sent, after a wait in a queue further in or at once.
    pub(super) fn record_sent(&mut self, probe: u32, now: Instant) {
        if let State::Open(probes) = &mut self.state {
            probes.record_sent(probe, now);
        }
    }

    /// A probe was answered with a successful head, and its body is being read.
    pub(super) fn record_head(&mut self, probe: u32, sent_at: Instant, at: Instant) {
        if let State::Open(probes) = &mut self.state {
            probes.record_head(probe, sent_at, at);
        }
    }

    /// Counts the probes with a successful head whose body takes longer than the probe limit; true
    /// if the breaker is to close.
    pub(super) fn judge_answered_probes(&mut self, config: &BreakerConfig, now: Instant) -> bool {
        let State::Open(probes) = &mut self.state else { return false };
        while let Some(took) = probes.take_answered(config.probe_limit, now) {
            if probes.is_too_slow(took, config) {
                probes.failed(config);
            } else if probes.succeeded(config) {
                return true;
            }
        }
        false
    }

    /// Closes. If calls are held, they are released a few at a time.
    pub(super) fn close(&mut self, held: bool, now: Instant) {
        self.state = match held {
            true => State::Releasing(Release::new(now)),
            false => State::Closed,
        };
        if let Some(outage) = &mut self.outage {
            outage.end(now);
        }
    }

    /// A released call has ended, or was never sent.
    pub(super) fn released_one(&mut self) {
        if let State::Releasing(release) = &mut self.state {
            release.give_back();
        }
    }

    /// No call is held any more.
    pub(super) fn end_release(&mut self) {
        if matches!(self.state, State::Releasing(_)) {
            self.state = State::Closed;
        }
    }

    /// When the task that releases held calls is to check next, if nothing else happens.
    pub(super) fn next_check(
        &self,
        safety: CallSafety,
        config: &BreakerConfig,
        now: Instant,
    ) -> Instant {
        match (&self.state, self.forced) {
            (State::Open(probes), Forced::No) => {
                rt::after(now, probes.check_in(safety, config, now).max(MIN_CHECK_DELAY))
            }
            (State::Releasing(release), Forced::No) => release.next_step(now),
            _ => rt::after(now, MAX_CHECK_DELAY),
        }
    }

    /// Closes, and clears what is known of outages.
    pub(super) fn reset(&mut self, held: bool, now: Instant) {
        self.forced = Forced::No;
        self.close(held, now);
        self.outage = None;
        self.success_gap = SuccessGap::new(now);
    }

    pub(super) fn force(&mut self, forced: Forced, now: Instant) {
        if self.forced == forced {
            return;
        }
        (self.forced, self.forced_at) = (forced, now);
        match &mut self.state {
            State::Open(probes) => probes.forget_in_flight(),
            State::Releasing(release) => release.forget_in_flight(),
            State::Closed => {}
        }
    }

    pub(super) fn forced(&self) -> Forced {
        self.forced
    }

    /// The state at this time, as callers see it.
    pub(super) fn state(&self, config: &BreakerConfig, now: Instant) -> BreakerState {
        match (self.forced, &self.state) {
            (Forced::Open, _) => BreakerState::Open,
            (Forced::No, State::Open(probes)) if probes.is_trying(config, now) => {
                BreakerState::HalfOpen
            }
            (Forced::No, State::Open(_)) => BreakerState::Open,
            _ => BreakerState::Closed,
        }
    }

    /// Whether calls are refused: it is open, and a probe is in flight or not due yet.
    pub(super) fn is_down(&self, config: &BreakerConfig, now: Instant) -> bool {
        match (self.forced, &self.state) {
            (Forced::Open, _) => true,
            (Forced::No, State::Open(probes)) => probes.is_down(config, now),
            _ => false,
        }
    }

    /// Whether no call is admitted except probes.
    pub(super) fn is_open(&self) -> bool {
        match self.forced {
            Forced::Open => true,
            Forced::Closed => false,
            Forced::No => matches!(self.state, State::Open(_)),
        }
    }

    /// Whether it is open because of failures that it saw itself, the last one lately: not by a person's hand, and not
    /// yet if a hint was needed for it.
    #[cfg(feature = "fleet")]
    pub(super) fn has_found_outage(&self, config: &BreakerConfig, now: Instant) -> bool {
        let is_open = self.forced == Forced::No && matches!(self.state, State::Open(_));
        let Some(outage) = self.outage.filter(|it| is_open && it.is_seen(now)) else {
            return false;
        };
        match outage.cause {
            Cause::Failures => true,
            // A hint is of nothing that answers.
            Cause::Slowness | Cause::Manual | Cause::Releasing => false,
            // Probes that failed count too.
            Cause::Consecutive { .. } => {
                let lasts = now.saturating_duration_since(outage.no_success_since);
                let enough = config.consecutive.is_some_and(|rule| outage.failed >= rule.limit());
                enough && lasts >= config.no_success_for
            }
        }
    }

    /// Whether the next probe is to be a call that must not be repeated.
    pub(super) fn is_unsafe_due(&self, now: Instant) -> bool {
        matches!(&self.state, State::Open(probes) if probes.is_unsafe_due(now))
    }

    /// For how long it has not been closed, as callers see it.
    pub(super) fn not_closed_for(&self, now: Instant) -> Option<Duration> {
        let since = match (self.forced, &self.state) {
            (Forced::Closed, _) => return None,
            (_, State::Open(_)) => self.outage?.began,
            (Forced::Open, _) => self.forced_at,
            (Forced::No, _) => return None,
        };
        Some(now.saturating_duration_since(since))
    }

    /// The change that no event has reported yet.
    pub(super) fn unreported_change(
        &mut self,
        config: &BreakerConfig,
        now: Instant,
    ) -> Option<Change> {
        let to = self.state(config, now);
        let from = std::mem::replace(&mut self.reported, to);
        (from != to).then_some(Change { from, to })
    }

    /// Applies another number of probes, and resets their counts.
    pub(super) fn recount(&mut self, probes: u32) {
        if let State::Open(open) = &mut self.state {
            open.recount(probes);
        }
    }
}

// === impl Admission ===

impl Admission {
    pub(super) fn new(admitted_at: Instant, generation: u64, role: Role) -> Self {
        Self { admitted_at, sent_at: admitted_at, generation, role, is_answered: false }
    }

    pub(super) fn untracked(began: Instant) -> Self {
        Self::new(began, UNTRACKED, Role::Normal)
    }
}

/// No state has this generation.
pub(super) const UNTRACKED: u64 = u64::MAX;
/// Keeps the task from checking again at once.
const MIN_CHECK_DELAY: Duration = Duration::from_millis(1);
/// Changes that come sooner wake the held calls themselves.
const MAX_CHECK_DELAY: Duration = Duration::from_secs(60);
