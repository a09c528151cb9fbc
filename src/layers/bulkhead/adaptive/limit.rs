use std::time::{Duration, Instant};

use super::aimd::Aimd;
use super::gradient::Gradient;
use super::settings::{Adaptive, Algorithm};

/// A limit that adapts to samples of calls.
#[derive(Debug)]
pub(in super::super) enum AdaptiveLimit {
    Aimd(Aimd),
    Gradient(Gradient),
}

/// What one call says about the provider.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Sample {
    pub(in super::super) began: Instant,
    /// When its head came, or an error instead of one.
    pub(in super::super) ended: Instant,
    /// How many calls were in flight when it began, itself included.
    pub(in super::super) in_flight: u32,
    pub(in super::super) signal: Signal,
}

/// What its result says about the provider's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Signal {
    /// The provider answered as it should.
    Answered,
    /// The provider is overloaded.
    Overloaded,
}

/// Groups overloads, so that each group lowers the limit once.
///
/// One overload shows in every call that was in flight. So a call that began before the limit was
/// lowered doesn't lower it again.
#[derive(Debug, Default)]
pub(super) struct Round(Option<Instant>);

// === impl Machine ===

impl AdaptiveLimit {
    pub(in super::super) fn new(adaptive: &Adaptive, concurrency: u32) -> Self {
        // `check` reports reversed bounds; here they must not panic.
        let settings = adaptive.clone().max(adaptive.max.max(adaptive.min));
        let begin = concurrency.clamp(settings.min, settings.max);
        match settings.algorithm {
            Algorithm::Aimd => Self::Aimd(Aimd::new(settings, begin)),
            Algorithm::Gradient => Self::Gradient(Gradient::new(settings, begin)),
        }
    }

    pub(in super::super) fn limit(&self) -> u32 {
        match self {
            Self::Aimd(aimd) => aimd.limit(),
            Self::Gradient(gradient) => gradient.limit(),
        }
    }

    pub(in super::super) fn learn(&mut self, sample: &Sample) {
        match self {
            Self::Aimd(aimd) => aimd.learn(sample),
            Self::Gradient(gradient) => gradient.learn(sample),
        }
    }
}

// === impl Sample ===

impl Sample {
    pub(super) fn took(&self) -> Duration {
        self.ended.saturating_duration_since(self.began)
    }

    /// Whether at least half of this limit is used. Otherwise the sample says nothing about it.
    pub(super) fn is_limit_used(&self, limit: u32) -> bool {
        u64::from(self.in_flight) * 2 >= u64::from(limit)
    }
}

// === impl Round ===

impl Round {
    /// Whether an overload begins another group.
    pub(super) fn is_new(&mut self, overload: &Sample) -> bool {
        let is_new = self.0.is_none_or(|lowered| overload.began >= lowered);
        if is_new {
            self.0 = Some(overload.ended);
        }
        is_new
    }
}

/// Samples for tests, one call after another.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::rt;

    pub(in super::super) struct Calls(Instant);

    impl Calls {
        pub(in super::super) fn new() -> Self {
            Self(rt::now())
        }

        pub(in super::super) fn pass(&mut self, millis: u64) {
            self.0 += Duration::from_millis(millis);
        }

        pub(in super::super) fn answered(&self, millis: u64, in_flight: u32) -> Sample {
            let ended = self.0 + Duration::from_millis(millis);
            Sample { began: self.0, ended, in_flight, signal: Signal::Answered }
        }

        /// Time passes until it is back.
        pub(in super::super) fn overloaded(&mut self, millis: u64, in_flight: u32) -> Sample {
            let sample = self.answered(millis, in_flight);
            self.0 = sample.ended;
            Sample { signal: Signal::Overloaded, ..sample }
        }
    }
}
