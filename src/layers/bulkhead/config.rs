use std::time::Duration;

use super::adaptive::{Adaptive, AdaptiveLimit};
use crate::settings::{Errors, Ratio};

/// The settings of a bulkhead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BulkheadConfig {
    /// Absent if concurrency isn't bounded; if it is adaptive, the first limit.
    pub(crate) concurrency: Option<u32>,
    pub(crate) queue: u32,
    pub(crate) queue_wait: Option<Duration>,
    pub(crate) adaptive: Option<Adaptive>,
}

/// The settings of the permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PermitsConfig {
    pub(super) concurrency: Option<u32>,
    pub(super) queue: u32,
    /// The share that is for high priority only.
    pub(super) reserve: Ratio,
    pub(super) adaptive: Option<Adaptive>,
}

// === impl PlacesConfig ===

impl PermitsConfig {
    /// How many of `limit` permits are for high priority only.
    pub(super) fn reserve_of(&self, limit: u32) -> u32 {
        if limit < 2 || self.reserve == Ratio::ZERO {
            return 0;
        }
        let share = u64::from(limit) * u64::from(self.reserve.millionths());
        let permits = u32::try_from(share / u64::from(Ratio::ONE.millionths())).unwrap_or(limit);
        permits.clamp(1, limit - 1)
    }

    /// The adaptive limit, if there is one.
    pub(super) fn machine(&self) -> Option<AdaptiveLimit> {
        Some(AdaptiveLimit::new(self.adaptive.as_ref()?, self.concurrency?))
    }

    pub(super) fn check_into(&self, limit: &str, adaptive: &str, errors: &mut Errors<'_>) {
        if self.concurrency == Some(0) {
            errors.add(
                limit,
                "zero places let nothing through: allow at least one, or leave it unlimited",
            );
        }
        let Some(settings) = &self.adaptive else { return };
        match self.concurrency {
            Some(concurrency) => settings.check_into(concurrency, adaptive, errors),
            None => errors.add(
                adaptive,
                "there is no limit that could move: give it the concurrency to begin with",
            ),
        }
    }
}

/// No bound.
impl Default for PermitsConfig {
    fn default() -> Self {
        Self { concurrency: None, queue: 0, reserve: Ratio::ZERO, adaptive: None }
    }
}
