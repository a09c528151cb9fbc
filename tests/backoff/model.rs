//! Backoffs as users ask for them, and what their delays must be.

use std::time::Duration;

use outrigger::Ratio;
use outrigger::backoff::{Backoff, Jitter};
use proptest::prelude::*;

use crate::ALL;

/// A backoff as a user asks for it.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Exponential { base: Duration, factor: u32, cap: Duration },
    Linear { base: Duration, step: Duration, cap: Duration },
    Fixed(Duration),
    Schedule(Vec<Duration>),
}

impl Plan {
    pub(crate) fn backoff(&self, jitter: Jitter) -> Backoff {
        let backoff = match self {
            Self::Exponential { base, factor, cap } => {
                Backoff::exponential(*base, *cap).factor(f64::from(*factor))
            }
            Self::Linear { base, step, cap } => Backoff::linear(*base, *step, *cap),
            Self::Fixed(delay) => Backoff::fixed(*delay),
            Self::Schedule(delays) => Backoff::schedule(delays.iter().copied()),
        };
        backoff.jitter(jitter)
    }

    /// The model: whole nanoseconds, multiplied one retry at a time.
    pub(crate) fn delay(&self, retry: u32) -> Duration {
        match self {
            Self::Exponential { base, factor, cap } => {
                let mut delay = *base;
                for _ in 1..retry {
                    delay = delay.saturating_mul(*factor).min(*cap);
                }
                delay.min(*cap)
            }
            Self::Linear { base, step, cap } => {
                let add = |delay: Duration, _| delay.saturating_add(*step);
                (1..retry).fold(*base, add).min(*cap)
            }
            Self::Fixed(delay) => *delay,
            Self::Schedule(delays) => delays[(retry as usize).min(delays.len()) - 1],
        }
    }

    /// No delay is longer, however it is spread: what doesn't grow and has no cap may be spread upwards.
    pub(crate) fn longest(&self, jitter: Jitter) -> Duration {
        match (self, jitter) {
            (Self::Fixed(_) | Self::Schedule(_), Jitter::Scale { high, .. }) => {
                self.cap().max(share(high, self.cap()))
            }
            _ => self.cap(),
        }
    }

    pub(crate) fn cap(&self) -> Duration {
        match self {
            Self::Exponential { cap, .. } | Self::Linear { cap, .. } => *cap,
            Self::Fixed(delay) => *delay,
            Self::Schedule(delays) => delays.iter().max().copied().unwrap_or_default(),
        }
    }
}

/// Up to an hour, to the nanosecond.
pub(crate) fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..=HOUR.as_nanos() as u64).prop_map(Duration::from_nanos),
        (1..=10_000_u64).prop_map(Duration::from_millis),
    ]
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        (duration(), 1_u32..=5, duration()).prop_map(|(one, factor, other)| {
            Plan::Exponential { base: one.min(other), factor, cap: one.max(other) }
        }),
        (duration(), duration(), duration()).prop_map(|(one, step, other)| {
            Plan::Linear { base: one.min(other), step, cap: one.max(other) }
        }),
        duration().prop_map(Plan::Fixed),
        proptest::collection::vec(prop_oneof![Just(Duration::ZERO), duration()], 1..10)
            .prop_map(Plan::Schedule),
    ]
}

pub(crate) fn jitter() -> impl Strategy<Value = Jitter> {
    prop::sample::select(ALL.as_slice())
}

/// Two factors, the lower first.
pub(crate) fn factors() -> impl Strategy<Value = (Ratio, Ratio)> {
    (0_u32..3_000_000, 1_u32..3_000_000).prop_map(|(one, other)| {
        (Ratio::per_million(one.min(other)), Ratio::per_million(one.max(other)))
    })
}

pub(crate) fn share(of: Ratio, whole: Duration) -> Duration {
    let nanos = whole.as_nanos() * u128::from(of.millionths()) / 1_000_000;
    Duration::from_nanos(u64::try_from(nanos).expect("hours"))
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
