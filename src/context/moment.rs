use std::time::{Duration, Instant};

use crate::rt;

/// A time of a call, in nanoseconds from its start: compared and added to without a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Later than any other.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// A time before the start is the start.
    pub(crate) fn of(started: Instant, at: Instant) -> Self {
        let since = at.saturating_duration_since(started).as_nanos();
        Self(u64::try_from(since).unwrap_or(u64::MAX).min(u64::MAX - 1))
    }

    pub(crate) fn instant(self, started: Instant) -> Instant {
        rt::after(started, Duration::from_nanos(self.0))
    }

    /// So long after this one.
    pub(crate) fn after(self, wait: Duration) -> Self {
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(wait).min(u64::MAX - 1))
    }
}
