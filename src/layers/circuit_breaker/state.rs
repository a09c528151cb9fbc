//! The machine: `now` goes in, a decision comes out.

use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Throttled};
use super::outage::{Cause, Outage, Silence};
use super::probes::Probes;
use super::release::Release;
use crate::rt::{self, Rng};
use crate::terms::BreakerState;

/// What a circuit breaker is in, and what it remembers of the outage.
#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    forced: Forced,
    /// When it was last forced into another state.
    forced_at: Instant,
    /// The outage that it is in, or that has just ended.
    outage: Option<Outage>,
    silence: Silence,
    /// The state that others were last told of.
    told: BreakerState,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(Probes),
    /// Closed again; those who were held meanwhile go a few at a time.
    Releasing(Release),
}

/// The right to one call, good for the state that gave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) began: Instant,
    /// When the request left, where it waited in a queue further in: slowness is judged from here.
    pub(super) left: Instant,
    /// The generation that it was given in; [`UNTRACKED`] if its result doesn't matter.
    pub(super) generation: u64,
    pub(super) role: Role,
}

/// What a call is to the breaker that let it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Usual,
    /// It tries the provider: the number says which probe it is.
    Probe(u32),
    /// It was held, or came while others were.
    Released,
}

/// Who asks to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// It may be repeated without harm.
    Safe,
    /// It may not: it tries a silent provider only where nothing else does.
    Unsafe,
}

/// Why a call may not pass just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) cause: Cause,
    /// For how long nothing has succeeded, or it has been open.
    pub(super) lasts: Duration,
    /// Attempts that failed meanwhile.
    pub(super) failed: u32,
    /// How long until the next try; without, it is forced open.
    pub(super) next: Option<Duration>,
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
    /// The peer refused the stream or ended the connection. Where others are answered, that is how
    /// servers begin anew; where nobody is, nothing answers.
    Refused,
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
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Closed,
            forced: Forced::No,
            forced_at: now,
            outage: None,
            silence: Silence::new(now),
            told: BreakerState::Closed,
        }
    }

    /// Whether every call passes, and none needs to be counted.
    pub(super) fn is_plain(&self) -> bool {
        self.forced == Forced::No && matches!(self.state, State::Closed)
    }

    /// Asks to make a call; `held` says whether others are held, who come before it.
    pub(super) fn admit(
        &mut self,
        asker: Asker,
        held: bool,
        config: &BreakerConfig,
        now: Instant,
        rng: &Rng,
    ) -> Result<Role, Refusal> {
        match (self.forced, &mut self.state) {
            (Forced::Closed, _) | (Forced::No, State::Closed) => Ok(Role::Usual),
            (Forced::Open, _) => Err(self.refusal(None, now)),
            (Forced::No, State::Open(probes)) => match probes.admit(asker, config, now, rng) {
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

    /// Why a call of this kind may not pass, and when one may.
    pub(super) fn why(&self, asker: Asker, config: &BreakerConfig, now: Instant) -> Refusal {
        let next = match (&self.state, self.forced) {
            (State::Open(probes), Forced::No) => Some(probes.next_in(asker, config, now)),
            (_, Forced::Open) => None,
            _ => Some(Duration::ZERO),
        };
        self.refusal(next, now)
    }

    fn refusal(&self, next: Option<Duration>, now: Instant) -> Refusal {
        let (cause, since, failed) = match (&self.outage, self.forced, &self.state) {
            (Some(outage), Forced::No, State::Open(_)) => {
                (outage.cause, outage.silent_since, outage.failed)
            }
            (Some(outage), Forced::No, _) => (Cause::Line, outage.ended_at(now), 0),
            _ => (Cause::Hand, self.forced_at, 0),
        };
        Refusal { cause, lasts: now.saturating_duration_since(since), failed, next }
    }

    /// A success came after failures, while it was closed.
    pub(super) fn silence_ended(&mut self, silence: Duration, now: Instant) {
        self.silence.ended(silence, now);
    }

    /// How long nothing may succeed before a row of failures is an outage.
    pub(super) fn longest_silence(&self, config: &BreakerConfig, now: Instant) -> Duration {
        self.silence.longest(config.no_success_for, now)
    }

    /// Opens a closed one.
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

    /// Opens until the time is over, when calls are tried again.
    pub(super) fn open_by_hand(&mut self, time: Duration, gap: Duration, now: Instant) {
        if self.outage.is_none_or(|outage| !outage.goes_on()) {
            self.begin_outage(Cause::Hand, now);
        }
        self.state = State::Open(Probes::due_in(time, gap, now));
    }

    fn begin_outage(&mut self, cause: Cause, now: Instant) {
        self.outage = Some(Outage::begin(cause, self.outage, now));
    }

    /// What a probe came to; true if the breaker is to close.
    pub(super) fn judge_probe(
        &mut self,
        probe: u32,
        verdict: Verdict,
        took: Duration,
        config: &BreakerConfig,
        now: Instant,
    ) -> bool {
        let State::Open(probes) = &mut self.state else { return false };
        if !probes.take(probe) {
            return false;
        }
        let asked = match verdict {
            Verdict::Nothing => {
                probes.give_back(now);
                return false;
            }
            Verdict::Success if !probes.is_too_slow(took, config) => None,
            Verdict::Throttled { .. } if config.throttled == Throttled::Never => None,
            Verdict::Success | Verdict::Refused => Some(None),
            Verdict::Failure { retry_after } | Verdict::Throttled { retry_after } => {
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
            outage.failed = outage.failed.saturating_add(1);
        }
        false
    }

    /// A probe goes on its way, from a queue further in or at once.
    pub(super) fn note_left(&mut self, probe: u32, now: Instant) {
        if let State::Open(probes) = &mut self.state {
            probes.note_left(probe, now);
        }
    }

    /// A probe has a good head, and its body is being read.
    pub(super) fn note_head(&mut self, probe: u32, left: Instant, at: Instant) {
        if let State::Open(probes) = &mut self.state {
            probes.note_head(probe, left, at);
        }
    }

    /// Whether a probe whose good answer has been read for long enough says that it is to close.
    pub(super) fn settle_answered(&mut self, config: &BreakerConfig, now: Instant) -> bool {
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

    /// Closes; where others are held, they go a few at a time from here on.
    pub(super) fn close(&mut self, held: bool, now: Instant) {
        self.state = match held {
            true => State::Releasing(Release::new(now)),
            false => State::Closed,
        };
        if let Some(outage) = &mut self.outage {
            outage.end(now);
        }
    }

    /// One of those who were held is over, or was never sent.
    pub(super) fn released_one(&mut self) {
        if let State::Releasing(release) = &mut self.state {
            release.give_back();
        }
    }

    /// Nobody is held any more.
    pub(super) fn end_release(&mut self) {
        if matches!(self.state, State::Releasing(_)) {
            self.state = State::Closed;
        }
    }

    /// When somebody who is held may have another look, where nothing else happens.
    pub(super) fn next_look(&self, asker: Asker, config: &BreakerConfig, now: Instant) -> Instant {
        match (&self.state, self.forced) {
            (State::Open(probes), Forced::No) => {
                rt::after(now, probes.look_in(asker, config, now).max(SHORTEST_LOOK))
            }
            (State::Releasing(release), Forced::No) => release.next_step(now),
            _ => rt::after(now, LONGEST_LOOK),
        }
    }

    /// Closed, with nothing remembered.
    pub(super) fn reset(&mut self, held: bool, now: Instant) {
        self.forced = Forced::No;
        self.close(held, now);
        self.outage = None;
        self.silence = Silence::new(now);
    }

    pub(super) fn force(&mut self, forced: Forced, now: Instant) {
        if self.forced == forced {
            return;
        }
        (self.forced, self.forced_at) = (forced, now);
        match &mut self.state {
            State::Open(probes) => probes.lose_track(),
            State::Releasing(release) => release.lose_track(),
            State::Closed => {}
        }
    }

    pub(super) fn forced(&self) -> Forced {
        self.forced
    }

    /// The state as callers see it at this time.
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

    /// Whether calls are refused: it is open, and somebody tries the provider or may not yet.
    pub(super) fn is_down(&self, config: &BreakerConfig, now: Instant) -> bool {
        match (self.forced, &self.state) {
            (Forced::Open, _) => true,
            (Forced::No, State::Open(probes)) => probes.is_down(config, now),
            _ => false,
        }
    }

    /// Whether no call passes as usual.
    pub(super) fn is_open(&self) -> bool {
        match self.forced {
            Forced::Open => true,
            Forced::Closed => false,
            Forced::No => matches!(self.state, State::Open(_)),
        }
    }

    /// Whether the next to try the provider is one that must not be repeated.
    pub(super) fn is_unsafe_turn(&self, now: Instant) -> bool {
        matches!(&self.state, State::Open(probes) if probes.is_unsafe_turn(now))
    }

    /// How long it hasn't been closed, as callers see it.
    pub(super) fn not_closed_for(&self, now: Instant) -> Option<Duration> {
        let since = match (self.forced, &self.state) {
            (Forced::Closed, _) => return None,
            (_, State::Open(_)) => self.outage?.began,
            (Forced::Open, _) => self.forced_at,
            (Forced::No, _) => return None,
        };
        Some(now.saturating_duration_since(since))
    }

    /// The change that others haven't been told of yet.
    pub(super) fn untold(&mut self, config: &BreakerConfig, now: Instant) -> Option<Change> {
        let to = self.state(config, now);
        let from = std::mem::replace(&mut self.told, to);
        (from != to).then_some(Change { from, to })
    }

    /// Other numbers of probes: what they have come to is counted anew.
    pub(super) fn recount(&mut self, probes: u32) {
        if let State::Open(open) = &mut self.state {
            open.recount(probes);
        }
    }
}

// === impl Ticket ===

impl Ticket {
    pub(super) fn new(began: Instant, generation: u64, role: Role) -> Self {
        Self { began, left: began, generation, role }
    }

    pub(super) fn untracked(began: Instant) -> Self {
        Self::new(began, UNTRACKED, Role::Usual)
    }
}

/// No state has this generation.
pub(super) const UNTRACKED: u64 = u64::MAX;
/// Nobody looks again in the same breath.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
/// A change that comes sooner wakes those who wait for it.
const LONGEST_LOOK: Duration = Duration::from_secs(60);
