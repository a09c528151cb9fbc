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
//! | [`Jitter::Scale`] | `low × d..=high × d`; where that would end over the cap, all of it is scaled down to end there |
//! | [`Jitter::None`] | `d` |
//!
//! The names and formulas of the first three are those of Marc Brooker, *Exponential Backoff And
//! Jitter*, AWS Architecture Blog, 2015. A range of factors is what other clients call a jitter factor
//! or a randomization factor: 0.2 there is 80 % to 120 % here.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::Ratio;
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
//! let steady = Backoff::linear(
//!     Duration::from_millis(200),
//!     Duration::from_millis(100),
//!     Duration::from_secs(2),
//! )
//! .jitter(Jitter::scale(Ratio::percent(80), Ratio::percent(120)));
//! # let _ = (quick, patient, steady);
//! ```

use std::time::Duration;

use crate::rt::Rng;
use crate::settings::{Errors, Ratio};

/// How long to wait before each retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    pub(crate) steps: Steps,
    pub(crate) jitter: Jitter,
    /// The longest delay that was set; other than growing ones have their own.
    pub(crate) cap: Option<Duration>,
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
    /// The delay times a factor between these two, each as likely; over 100 % is allowed.
    ///
    /// Where the highest would be over the cap, the range is scaled down to end at the cap, so that
    /// capped delays are still spread.
    Scale {
        /// The lowest factor.
        low: Ratio,
        /// The highest factor.
        high: Ratio,
    },
    /// The delay itself.
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Steps {
    Exponential { base: Duration, factor: f64 },
    Linear { base: Duration, step: Duration },
    Fixed(Duration),
    Schedule(Vec<Duration>),
}

// === impl Backoff ===

impl Backoff {
    /// `base`, twice `base`, four times `base` and so on up to `cap`, with full jitter.
    #[must_use]
    pub fn exponential(base: Duration, cap: Duration) -> Self {
        Self {
            steps: Steps::Exponential { base, factor: 2.0 },
            jitter: Jitter::Full,
            cap: Some(cap),
        }
    }

    /// `base`, then `step` more each time up to `cap`, with full jitter.
    ///
    /// A base of zero makes the first retry follow at once.
    #[must_use]
    pub fn linear(base: Duration, step: Duration, cap: Duration) -> Self {
        Self { steps: Steps::Linear { base, step }, jitter: Jitter::Full, cap: Some(cap) }
    }

    /// The same delay before each retry, without jitter.
    #[must_use]
    pub fn fixed(delay: Duration) -> Self {
        Self { steps: Steps::Fixed(delay), jitter: Jitter::None, cap: None }
    }

    /// One delay a retry, without jitter; the last repeats where retries go on.
    #[must_use]
    pub fn schedule(delays: impl IntoIterator<Item = Duration>) -> Self {
        let delays = delays.into_iter().collect();
        Self { steps: Steps::Schedule(delays), jitter: Jitter::None, cap: None }
    }

    /// What an exponential delay is multiplied by from one retry to the next; 2 by default.
    ///
    /// Other delays don't grow by a factor, so it changes nothing there.
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

    /// The longest delay. Fixed delays and schedules need none: theirs is the longest of them, or that
    /// times the highest factor of [`Jitter::Scale`].
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = Some(cap);
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
            Jitter::Scale { low, high } => {
                let delay = delay.min(high.whole_of(self.longest()));
                rng.between(low.min(high).of(delay), high.of(delay))
            }
            Jitter::Decorrelated => {
                let base = self.unspread(1);
                let high = previous.max(base).saturating_mul(3).min(self.longest());
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
            Steps::Linear { base, step: more } => base.saturating_add(more.saturating_mul(step)),
        };
        delay.min(self.longest())
    }

    /// The cap, or where none is set the longest delay that can be drawn.
    pub(crate) fn longest(&self) -> Duration {
        self.cap.unwrap_or_else(|| match self.jitter {
            Jitter::Scale { high, .. } if high > Ratio::ONE => high.of(self.steps.longest()),
            _ => self.steps.longest(),
        })
    }

    pub(crate) fn check(&self, errors: &mut Errors<'_>) {
        self.check_jitter(errors);
        let cap = self.longest();
        match &self.steps {
            Steps::Exponential { base, .. } | Steps::Linear { base, .. } if *base > cap => {
                errors.add(
                    "backoff",
                    format_args!(
                        "base {base:?} is over its cap {cap:?}: lower the base or raise the cap"
                    ),
                );
            }
            Steps::Fixed(delay) if delay.is_zero() => {
                errors.add("backoff", "fixed delay is zero, so retries would follow at once: give it a delay, or use a schedule that begins with zero");
            }
            Steps::Schedule(delays) if delays.is_empty() => {
                errors.add("backoff", "schedule is empty: name at least one delay");
            }
            steps if cap.is_zero() && !steps.longest().is_zero() => {
                errors.add("backoff", "cap is zero, so retries would follow at once: raise it");
            }
            _ => {}
        }
        match &self.steps {
            Steps::Exponential { base, factor } => {
                if base.is_zero() {
                    errors.add("backoff", "base is zero, so no delay would ever grow: give it a base, or use a schedule");
                }
                if !(factor.is_finite() && *factor >= 1.0) {
                    errors
                        .add("backoff", format_args!("factor {factor} is not a number from 1 on"));
                }
            }
            Steps::Linear { step, .. } if step.is_zero() => {
                errors.add(
                    "backoff.step",
                    "a step of zero never grows: give it a duration, or use a fixed delay",
                );
            }
            Steps::Linear { .. } | Steps::Fixed(_) | Steps::Schedule(_) => {}
        }
    }

    fn check_jitter(&self, errors: &mut Errors<'_>) {
        match (self.jitter, &self.steps) {
            (Jitter::Scale { low, high }, _) if low > high => errors.add(
                "backoff.jitter",
                format_args!("its lowest factor {low} is over its highest {high}: swap them"),
            ),
            (Jitter::Scale { high, .. }, _) if high == Ratio::ZERO => errors.add(
                "backoff.jitter",
                "its highest factor is 0%, so retries would follow at once: raise it",
            ),
            // It walks between a base and a cap, and needs both.
            (Jitter::Decorrelated, Steps::Exponential { base, .. }) if *base != self.longest() => {}
            (Jitter::Decorrelated, Steps::Exponential { base, .. }) => {
                errors.add("backoff", format_args!("base and cap are both {base:?}, which leaves decorrelated jitter no room: raise the cap or use full jitter"));
            }
            (Jitter::Decorrelated, _) => {
                errors.add("backoff", "decorrelated jitter makes its own sequence: use it with an exponential backoff, or use full jitter");
            }
            _ => {}
        }
    }
}

// === impl Jitter ===

impl Jitter {
    /// The delay times a factor between these two. See [`Jitter::Scale`].
    #[must_use]
    pub const fn scale(low: Ratio, high: Ratio) -> Self {
        Self::Scale { low, high }
    }
}

// === impl Steps ===

impl Steps {
    /// The longest of those that don't grow; where they do, there is none.
    fn longest(&self) -> Duration {
        match self {
            Self::Exponential { .. } | Self::Linear { .. } => Duration::MAX,
            Self::Fixed(delay) => *delay,
            Self::Schedule(delays) => delays.iter().copied().max().unwrap_or_default(),
        }
    }
}

/// Doubling a nanosecond this often passes every cap; it only keeps `powi` in range.
const MAX_STEP: u32 = 1_000;
