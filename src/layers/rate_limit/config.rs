use std::sync::Arc;
use std::time::Duration;

use super::rate_probe::{BIG_STEP, Retention, SMALL_STEP};
use crate::settings::Errors;

/// The settings of a rate limit, as [`RateLimitLayer`](super::RateLimitLayer) sets them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitConfig {
    /// Absent if only the provider's limits count.
    pub(crate) quota: Option<Quota>,
    /// Whose quota it is, if several share it.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) on_limit: OnLimit,
    pub(crate) queue: u32,
    pub(crate) in_flight: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) learning: Learning,
    /// Absent if it follows from `on_limit`.
    pub(crate) forget_after: Option<Duration>,
    pub(crate) pause_cap: Duration,
}

/// So many requests in so much time, so many of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) requests: u32,
    pub(crate) per: Duration,
    pub(crate) burst: u32,
}

/// What happens to calls that come faster than the limit allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnLimit {
    /// They go out as they come, as long as the provider's quota lasts. After that, a call that
    /// would have to wait too long is refused at once.
    #[default]
    Reject,
    /// They queue, first come, first served, and go out evenly spaced.
    Shape,
}

/// Whether the provider's headers and refusals change the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learning {
    /// It does.
    #[default]
    On,
    /// Only what was set counts: headers and refusals are ignored. What was learned until then is
    /// forgotten; a pause that the provider asked for lasts as long as it said.
    Off,
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            quota: None,
            account: None,
            on_limit: OnLimit::default(),
            queue: 65_536,
            in_flight: None,
            max_wait: None,
            learning: Learning::default(),
            forget_after: None,
            pause_cap: Duration::from_secs(600),
        }
    }
}

impl RateLimitConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        if let Some(Quota { requests, per, burst }) = self.quota {
            if requests == 0 {
                errors.add("requests", "zero requests let nothing through: allow at least one");
            }
            if burst == 0 {
                errors.add("burst", "zero at once let nothing through: allow at least one");
            }
            if per.is_zero() {
                errors.add("per", "so many in no time is no limit: give it a duration");
            }
        }
        if self.account.is_some() && self.quota.is_none() {
            errors.add(
                "account",
                "there is no rate to share: set how many `requests` the account allows",
            );
        }
        if self.in_flight == Some(0) {
            errors.add("in_flight", "zero at a time let nothing through: allow at least one");
        }
        errors.refuse_zero("max_wait", self.max_wait);
        errors.refuse_zero("forget_after", self.forget_after);
        errors.refuse_zero("pause_cap", Some(self.pause_cap));
    }

    /// How long a probed rate holds, and by which steps it is raised afterwards.
    pub(super) fn retention(&self) -> Retention {
        // Refusing a person because of an outdated limit costs more than letting a job wait.
        let forget_after = self.forget_after();
        match self.on_limit {
            OnLimit::Reject => {
                Retention { holds: forget_after / 2, ends: forget_after, step: BIG_STEP }
            }
            OnLimit::Shape => Retention {
                holds: forget_after,
                ends: forget_after.saturating_mul(12),
                step: SMALL_STEP,
            },
        }
    }

    /// As it was set, or as it follows from `on_limit`.
    pub(crate) fn forget_after(&self) -> Duration {
        let own = match self.on_limit {
            OnLimit::Reject => Duration::from_secs(10),
            OnLimit::Shape => Duration::from_secs(300),
        };
        self.forget_after.unwrap_or(own)
    }
}

impl Quota {
    /// From one request to the next, evenly spaced.
    pub(super) fn interval(self) -> Duration {
        self.per / self.requests.max(1)
    }
}
