use std::time::{Duration, Instant};

use super::config::OnLimit;
use crate::rt;

/// Whether a report that nothing is left of a limit has been confirmed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hint {
    /// A successful answer reported it, if any did. From `try_at` on, a request may test it.
    Reported { try_at: Option<Instant> },
    /// A request tests it; if there is no answer by then, the next may.
    Probing { again_at: Instant },
    /// A request was accepted in spite of it. Such reports are ignored until there are others.
    Disproved,
    /// The provider refused a request.
    Confirmed,
}

impl Hint {
    pub(super) const NONE: Self = Self::Reported { try_at: None };

    /// When a request may test it.
    pub(super) fn try_at(self) -> Option<Instant> {
        match self {
            Self::Reported { try_at } => try_at,
            Self::Probing { again_at } => Some(again_at),
            Self::Disproved | Self::Confirmed => None,
        }
    }

    /// A successful answer reported that nothing is left until `reset` is over. Because that may be
    /// wrong, people wait for it only in a short window, and jobs for at most `cap`.
    pub(super) fn suggested(
        self,
        reset: Duration,
        on_limit: OnLimit,
        cap: Duration,
        now: Instant,
    ) -> Self {
        match (self, on_limit) {
            (Self::Reported { .. }, OnLimit::Reject) => {
                Self::Reported { try_at: (reset > LONG_WAIT).then_some(now) }
            }
            (Self::Reported { try_at }, OnLimit::Shape) => {
                Self::Reported { try_at: try_at.or(Some(rt::after(now, cap))) }
            }
            // Other calls wait for the answer to the request that tests it.
            (known, _) => known,
        }
    }

    /// By our own count, nothing is left until then. Answers to requests in flight report more.
    pub(super) fn exhausted_by_count(self, until: Option<Instant>, now: Instant) -> Self {
        let is_far = until.is_some_and(|at| at > rt::after(now, LONG_WAIT));
        match self == Self::NONE && is_far {
            true => Self::Reported { try_at: Some(rt::after(now, A_SECOND)) },
            false => self,
        }
    }

    /// A request goes out. It tests the hint if it goes before the reset.
    pub(super) fn take(self, now: Instant) -> Self {
        match self.try_at().is_some_and(|at| at <= now) {
            // The answer mostly comes within a second.
            true => Self::Probing { again_at: rt::after(now, A_SECOND) },
            false => self,
        }
    }

    /// The next window has begun, which no answer has reported yet.
    pub(super) fn for_next_window(self) -> Self {
        if self == Self::Disproved { self } else { Self::NONE }
    }
}

/// Longer than a person waits.
const LONG_WAIT: Duration = Duration::from_secs(60);
const A_SECOND: Duration = Duration::from_secs(1);
