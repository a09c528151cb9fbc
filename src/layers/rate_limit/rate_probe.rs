use std::time::{Duration, Instant};

use super::gcra::Gcra;
use super::state::Sent;
use crate::rt;

/// Finds a limit that the provider doesn't report, from its refusals.
///
/// It begins at the rate that was accepted before the first refusal. It raises the rate in big steps
/// until the next refusal, goes back to the last accepted rate, raises it in small steps until the
/// next refusal, and goes back once more. It keeps that rate for the time of `Retention`, because
/// each try costs a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateProbe {
    pub(super) gcra: Gcra,
    phase: ProbePhase,
    /// A step must be longer than the provider's window, which the requested pauses hint at.
    step: Duration,
    refused_at: Instant,
    retention: Retention,
    /// It has settled before.
    is_known: bool,
}

/// How long a rate that was found holds, and by which steps it is raised afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Retention {
    pub(super) holds: Duration,
    /// Without a refusal for so long, it is dropped.
    pub(super) ends: Duration,
    pub(super) step: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ProbePhase {
    Rising { by: f64, accepted: Option<Duration>, step_ends: Instant },
    Settled { until: Instant },
}

impl RateProbe {
    /// The first refusal. `sent` was accepted before it, and it asks for the pause `wait`.
    pub(super) fn begin(sent: Sent, wait: Duration, retention: Retention, now: Instant) -> Self {
        let wait = wait.min(MAX_WAIT);
        let over = sent.over.saturating_add(wait).max(MIN_STEP / 10);
        let interval = over.div_f64(sent.requests.max(1) as f64).min(MAX_INTERVAL);
        let step = MIN_STEP.max(wait.saturating_mul(2)).min(MAX_STEP);
        let phase = ProbePhase::Rising {
            by: BIG_STEP,
            accepted: None,
            step_ends: rt::after(now, wait + step),
        };
        let gcra = Gcra::new(interval, Duration::ZERO, now);
        Self { gcra, phase, step, refused_at: rt::after(now, wait), retention, is_known: false }
    }

    /// Another refusal, at the current rate.
    pub(super) fn refused(&mut self, wait: Duration, now: Instant) {
        let wait = wait.min(MAX_WAIT);
        self.refused_at = rt::after(now, wait);
        let (interval, phase) = match self.phase {
            ProbePhase::Rising { accepted: Some(accepted), .. } if self.is_known => {
                // A rate above the accepted one was tried, and refused.
                (accepted, self.settled(now))
            }
            ProbePhase::Rising { by, accepted: Some(accepted), .. } if by > SMALL_STEP => {
                let step_ends = rt::after(now, wait + self.step);
                (accepted, ProbePhase::Rising { by: SMALL_STEP, accepted: None, step_ends })
            }
            ProbePhase::Rising { accepted: Some(accepted), .. } => {
                // A little slower than what was accepted for a while.
                (accepted.mul_f64(MARGIN), self.settled(now))
            }
            ProbePhase::Rising { by, accepted: None, .. } if by > SMALL_STEP => {
                // Nothing is known to be accepted yet.
                let step_ends = rt::after(now, wait + self.step);
                let interval = self.gcra.interval.mul_f64(1.5);
                (interval, ProbePhase::Rising { by, accepted: None, step_ends })
            }
            ProbePhase::Rising { .. } | ProbePhase::Settled { .. } => {
                (self.gcra.interval.mul_f64(SMALL_STEP), self.settled(now))
            }
        };
        self.phase = phase;
        self.gcra.change(interval.min(MAX_INTERVAL), Duration::ZERO, now);
    }

    /// A request goes out while others wait; true if the rate changed.
    pub(super) fn on_contended(&mut self, now: Instant) -> bool {
        let is_old = now.saturating_duration_since(self.refused_at) >= self.retention.holds;
        match &mut self.phase {
            ProbePhase::Rising { by, accepted, step_ends } if now >= *step_ends => {
                if is_old {
                    *by = by.max(self.retention.step);
                }
                *accepted = Some(self.gcra.interval);
                let interval = self.gcra.interval.div_f64(*by);
                let step = self.step.max(interval.saturating_mul(20)).min(MAX_STEP);
                *step_ends = rt::after(now, step);
                self.gcra.change(interval, Duration::ZERO, now);
                true
            }
            ProbePhase::Settled { until } if now >= *until => {
                let (by, accepted) = (self.retention.step, Some(self.gcra.interval));
                self.phase =
                    ProbePhase::Rising { by, accepted, step_ends: rt::after(now, self.step) };
                self.is_known = true;
                self.gcra.change(self.gcra.interval.div_f64(by), Duration::ZERO, now);
                true
            }
            _ => false,
        }
    }

    /// Whether the last refusal is so long ago that the limit may have changed.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.refused_at) >= self.retention.ends
    }

    /// Whether an accepted rate is known.
    pub(super) fn knows_accepted(&self) -> bool {
        matches!(
            self.phase,
            ProbePhase::Settled { .. } | ProbePhase::Rising { accepted: Some(_), .. }
        )
    }

    fn settled(&self, now: Instant) -> ProbePhase {
        ProbePhase::Settled { until: rt::after(now, self.retention.holds) }
    }
}

/// A big step up and a small one.
pub(super) const BIG_STEP: f64 = 1.25;
pub(super) const SMALL_STEP: f64 = 1.03;
const MARGIN: f64 = 1.01;
const MIN_STEP: Duration = Duration::from_secs(2);
const MAX_STEP: Duration = Duration::from_secs(120);
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// Longer pauses say nothing more about the rate.
const MAX_WAIT: Duration = Duration::from_secs(3600);
