use std::time::{Duration, Instant};

use super::pace::Pace;
use super::state::Sent;
use crate::rt;

/// A limit that nobody tells, found out by what is refused.
///
/// It begins at what was accepted before the first refusal, and feels its way up: in big steps until
/// it is refused again, back to what was accepted, in small steps from there, and back once more.
/// There it stays for as long as it is remembered, because each try costs a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    pub(super) pace: Pace,
    phase: Phase,
    /// A step must outlast the provider's window, of which its waits give an idea.
    step: Duration,
    refused_at: Instant,
    memory: Memory,
    /// It settled before.
    is_known: bool,
}

/// How long what was found out holds, and how fast it is left behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub(super) holds: Duration,
    /// After so long without a refusal, it is forgotten.
    pub(super) ends: Duration,
    pub(super) step: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Rising { by: f64, accepted: Option<Duration>, step_ends: Instant },
    Settled { until: Instant },
}

impl Search {
    /// The first refusal: so much was accepted before it, and it shall wait for so long.
    pub(super) fn begin(sent: Sent, wait: Duration, memory: Memory, now: Instant) -> Self {
        let wait = wait.min(LONGEST_WAIT);
        let over = sent.over.saturating_add(wait).max(SHORTEST_STEP / 10);
        let interval = over.div_f64(sent.requests.max(1) as f64).min(LONGEST_INTERVAL);
        let step = SHORTEST_STEP.max(wait.saturating_mul(2)).min(LONGEST_STEP);
        let phase =
            Phase::Rising { by: BIG, accepted: None, step_ends: rt::after(now, wait + step) };
        let pace = Pace::new(interval, Duration::ZERO, now);
        Self { pace, phase, step, refused_at: rt::after(now, wait), memory, is_known: false }
    }

    /// Refused again, at this pace.
    pub(super) fn refused(&mut self, wait: Duration, now: Instant) {
        let wait = wait.min(LONGEST_WAIT);
        self.refused_at = rt::after(now, wait);
        let (interval, phase) = match self.phase {
            Phase::Rising { accepted: Some(accepted), .. } if self.is_known => {
                // More was tried than is known to be accepted, and isn't.
                (accepted, self.settled(now))
            }
            Phase::Rising { by, accepted: Some(accepted), .. } if by > SMALL => {
                let step_ends = rt::after(now, wait + self.step);
                (accepted, Phase::Rising { by: SMALL, accepted: None, step_ends })
            }
            Phase::Rising { accepted: Some(accepted), .. } => {
                // A little slower than what was accepted for a while.
                (accepted.mul_f64(MARGIN), self.settled(now))
            }
            Phase::Rising { by, accepted: None, .. } if by > SMALL => {
                // Nothing is known to be accepted yet.
                let step_ends = rt::after(now, wait + self.step);
                let interval = self.pace.interval.mul_f64(1.5);
                (interval, Phase::Rising { by, accepted: None, step_ends })
            }
            Phase::Rising { .. } | Phase::Settled { .. } => {
                (self.pace.interval.mul_f64(SMALL), self.settled(now))
            }
        };
        self.phase = phase;
        self.pace.change(interval.min(LONGEST_INTERVAL), Duration::ZERO, now);
    }

    /// A request goes out while others wait; true when the pace changed.
    pub(super) fn pressed(&mut self, now: Instant) -> bool {
        let is_old = now.saturating_duration_since(self.refused_at) >= self.memory.holds;
        match &mut self.phase {
            Phase::Rising { by, accepted, step_ends } if now >= *step_ends => {
                if is_old {
                    *by = by.max(self.memory.step);
                }
                *accepted = Some(self.pace.interval);
                let interval = self.pace.interval.div_f64(*by);
                let step = self.step.max(interval.saturating_mul(20)).min(LONGEST_STEP);
                *step_ends = rt::after(now, step);
                self.pace.change(interval, Duration::ZERO, now);
                true
            }
            Phase::Settled { until } if now >= *until => {
                let (by, accepted) = (self.memory.step, Some(self.pace.interval));
                self.phase = Phase::Rising { by, accepted, step_ends: rt::after(now, self.step) };
                self.is_known = true;
                self.pace.change(self.pace.interval.div_f64(by), Duration::ZERO, now);
                true
            }
            _ => false,
        }
    }

    /// Whether it was so long ago that the provider's limit may be another one.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.refused_at) >= self.memory.ends
    }

    /// Whether a pace is known that was accepted.
    pub(super) fn knows_accepted(&self) -> bool {
        matches!(self.phase, Phase::Settled { .. } | Phase::Rising { accepted: Some(_), .. })
    }

    fn settled(&self, now: Instant) -> Phase {
        Phase::Settled { until: rt::after(now, self.memory.holds) }
    }
}

/// A big step up and a small one.
pub(super) const BIG: f64 = 1.25;
pub(super) const SMALL: f64 = 1.03;
const MARGIN: f64 = 1.01;
const SHORTEST_STEP: Duration = Duration::from_secs(2);
const LONGEST_STEP: Duration = Duration::from_secs(120);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// A pause of an hour says no more of the rate than one of two.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
