use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::rt;

/// A limit that nobody tells, found out by what is refused.
///
/// It begins at what was accepted before the first refusal, and feels its way up: in big steps until
/// it is refused again, back to what was accepted, in small steps from there, and back once more.
/// There it stays for five minutes, because each try costs a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    pub(super) pace: Pace,
    phase: Phase,
    /// A step must outlast the provider's window, of which its waits give an idea.
    step: Duration,
    refused_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Rising { by: f64, accepted: Option<Duration>, step_ends: Instant },
    Settled { until: Instant },
}

impl Search {
    /// The first refusal: so much was accepted in so long, and it shall wait for so long.
    pub(super) fn begin(accepted: u64, over: Duration, wait: Duration, now: Instant) -> Self {
        let wait = wait.min(FORGET);
        let over = over.saturating_add(wait).max(SHORTEST_STEP / 10);
        let interval = over.div_f64(accepted.max(1) as f64).min(LONGEST_INTERVAL);
        let step = SHORTEST_STEP.max(wait.saturating_mul(2)).min(LONGEST_STEP);
        let phase =
            Phase::Rising { by: BIG, accepted: None, step_ends: rt::after(now, wait + step) };
        Self { pace: Pace::new(interval, Duration::ZERO, now), phase, step, refused_at: now }
    }

    /// Refused again, at this pace.
    pub(super) fn refused(&mut self, wait: Duration, now: Instant) {
        self.refused_at = now;
        let wait = wait.min(FORGET);
        let (interval, phase) = match self.phase {
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
        match &mut self.phase {
            Phase::Rising { by, accepted, step_ends } if now >= *step_ends => {
                *accepted = Some(self.pace.interval);
                let interval = self.pace.interval.div_f64(*by);
                let step = self.step.max(interval.saturating_mul(20)).min(LONGEST_STEP);
                *step_ends = rt::after(now, step);
                self.pace.change(interval, Duration::ZERO, now);
                true
            }
            Phase::Settled { until } if now >= *until => {
                let step_ends = rt::after(now, self.step);
                self.phase = Phase::Rising { by: SMALL, accepted: None, step_ends };
                false
            }
            _ => false,
        }
    }

    /// Whether it was so long ago that the provider's limit may be another one.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.refused_at) >= FORGET
    }

    fn settled(&self, now: Instant) -> Phase {
        Phase::Settled { until: rt::after(now, SETTLED) }
    }
}

/// A big step up and a small one.
const BIG: f64 = 1.25;
const SMALL: f64 = 1.03;
const MARGIN: f64 = 1.01;
const SHORTEST_STEP: Duration = Duration::from_secs(2);
const LONGEST_STEP: Duration = Duration::from_secs(120);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const SETTLED: Duration = Duration::from_secs(300);
/// After an hour without a refusal, all is forgotten.
const FORGET: Duration = Duration::from_secs(3600);
