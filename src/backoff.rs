//! Delay sequences and jitter.
//!
//! A [`Backoff`] says how long to wait before each retry; a [`Jitter`] spreads it, so that the
//! callers that failed together don't come back together. The cap is applied first and jitter
//! under it: a delay never exceeds the cap, and capped delays are still spread.
//!
//! | jitter | the delay, where `d` is the capped delay of this retry |
//! |---|---|
//! | [`Jitter::Full`] | `0..=d` (the default: the least load on the provider) |
//! | [`Jitter::Equal`] | `d/2..=d` |
//! | [`Jitter::Decorrelated`] | `base..=3 × the previous delay`, under the cap |
//! | [`Jitter::None`] | `d` |
//!
//! The names and formulas are those of Marc Brooker, *Exponential Backoff And Jitter*, AWS
//! Architecture Blog, 2015.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::backoff::{Backoff, Jitter};
//!
//! let quick = Backoff::exponential(Duration::from_millis(50), Duration::from_millis(500));
//! let patient = Backoff::schedule([
//!     Duration::ZERO,
//!     Duration::from_secs(1),
//!     Duration::from_secs(5),
//!     Duration::from_secs(30),
//!     Duration::from_secs(300),
//! ])
//! .jitter(Jitter::Equal);
//! # let _ = (quick, patient);
//! ```

use std::time::Duration;

use crate::config::Mistakes;
use crate::rt::Rng;

/// How long to wait before each retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    pub(crate) steps: Steps,
    pub(crate) jitter: Jitter,
    pub(crate) cap: Duration,
}

/// How a delay is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Between nothing and the delay.
    #[default]
    Full,
    /// Between half the delay and the delay.
    Equal,
    /// Between the base and three times the previous delay; for exponential backoffs.
    Decorrelated,
    /// The delay itself.
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Steps {
    Exponential { base: Duration, factor: f64 },
    Fixed(Duration),
    Schedule(Vec<Duration>),
}

// === impl Backoff ===

impl Backoff {
    /// `base`, twice `base`, four times `base` and so on up to `cap`, with full jitter.
    #[must_use]
    pub fn exponential(base: Duration, cap: Duration) -> Self {
        Self { steps: Steps::Exponential { base, factor: 2.0 }, jitter: Jitter::Full, cap }
    }

    /// The same delay before each retry, without jitter.
    #[must_use]
    pub fn fixed(delay: Duration) -> Self {
        Self { steps: Steps::Fixed(delay), jitter: Jitter::None, cap: delay }
    }

    /// One delay a retry, without jitter; the last repeats where retries go on.
    #[must_use]
    pub fn schedule(delays: impl IntoIterator<Item = Duration>) -> Self {
        let delays: Vec<_> = delays.into_iter().collect();
        let cap = delays.iter().copied().max().unwrap_or_default();
        Self { steps: Steps::Schedule(delays), jitter: Jitter::None, cap }
    }

    /// What an exponential delay is multiplied by from one retry to the next; 2 by default.
    ///
    /// Fixed delays and schedules don't grow, so it changes nothing there.
    #[must_use]
    pub fn factor(mut self, by: f64) -> Self {
        if let Steps::Exponential { factor, .. } = &mut self.steps {
            *factor = by;
        }
        self
    }

    /// How each delay is spread.
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The longest delay.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// The delay before retry number `retry` (the first is 1), after a delay of `previous`.
    #[must_use]
    pub fn delay(&self, retry: u32, previous: Duration, rng: &Rng) -> Duration {
        let delay = self.unspread(retry);
        match self.jitter {
            Jitter::None => delay,
            Jitter::Full => rng.between(Duration::ZERO, delay),
            Jitter::Equal => rng.between(delay / 2, delay),
            Jitter::Decorrelated => {
                let base = self.unspread(1);
                let high = previous.max(base).saturating_mul(3).min(self.cap);
                rng.between(base, high)
            }
        }
    }

    /// The delay under the cap, before jitter.
    fn unspread(&self, retry: u32) -> Duration {
        let step = retry.saturating_sub(1);
        let delay = match &self.steps {
            Steps::Fixed(delay) => *delay,
            Steps::Schedule(delays) => {
                let last = delays.len().saturating_sub(1);
                delays.get((step as usize).min(last)).copied().unwrap_or_default()
            }
            Steps::Exponential { base, factor } => {
                let grown = base.as_secs_f64() * factor.powi(step.min(MAX_STEP) as i32);
                Duration::try_from_secs_f64(grown).unwrap_or(Duration::MAX)
            }
        };
        delay.min(self.cap)
    }

    pub(crate) fn check(&self, mistakes: &mut Mistakes<'_>) {
        self.check_jitter(mistakes);
        match &self.steps {
            Steps::Exponential { base, factor } => {
                if *base > self.cap {
                    let (base, cap) = (*base, self.cap);
                    mistakes.add(
                        "backoff",
                        format_args!(
                            "base {base:?} is over its cap {cap:?}: lower the base or raise the cap"
                        ),
                    );
                }
                if base.is_zero() {
                    mistakes.add("backoff", "base is zero, so no delay would ever grow: give it a base, or use a schedule");
                }
                if !(factor.is_finite() && *factor >= 1.0) {
                    mistakes
                        .add("backoff", format_args!("factor {factor} is not a number from 1 on"));
                }
            }
            Steps::Fixed(delay) if delay.is_zero() => {
                mistakes.add("backoff", "fixed delay is zero, so retries would follow at once: give it a delay, or use a schedule that begins with zero");
            }
            Steps::Schedule(delays) if delays.is_empty() => {
                mistakes.add("backoff", "schedule is empty: name at least one delay");
            }
            steps if self.cap.is_zero() && !steps.are_zero() => {
                mistakes.add("backoff", "cap is zero, so retries would follow at once: raise it");
            }
            Steps::Fixed(_) | Steps::Schedule(_) => {}
        }
    }

    /// Decorrelated jitter walks between a base and a cap, and needs both.
    fn check_jitter(&self, mistakes: &mut Mistakes<'_>) {
        match self.steps {
            _ if self.jitter != Jitter::Decorrelated => {}
            Steps::Exponential { base, .. } if base == self.cap => {
                mistakes.add("backoff", format_args!("base and cap are both {base:?}, which leaves decorrelated jitter no room: raise the cap or use full jitter"));
            }
            Steps::Exponential { .. } => {}
            Steps::Fixed(_) | Steps::Schedule(_) => {
                mistakes.add("backoff", "decorrelated jitter makes its own sequence: use it with an exponential backoff, or use full jitter");
            }
        }
    }
}

// === impl Steps ===

impl Steps {
    fn are_zero(&self) -> bool {
        match self {
            Self::Exponential { base: delay, .. } | Self::Fixed(delay) => delay.is_zero(),
            Self::Schedule(delays) => delays.iter().all(Duration::is_zero),
        }
    }
}

/// Doubling a nanosecond this often passes every cap; it only keeps `powi` in range.
const MAX_STEP: u32 = 1_000;
