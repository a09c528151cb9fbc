use std::time::{Duration, Instant};

use super::config::Excess;
use crate::rt;

/// Whether it is true that nothing is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hint {
    /// A good answer said so, if any did; from then on, somebody may go to see.
    Told { try_at: Option<Instant> },
    /// Somebody went to see; if there is no answer, the next may go then.
    Tried { again_at: Instant },
    /// It was accepted what went in spite of that: such words aren't heeded until there are others.
    Doubted,
    /// The provider refused.
    Proven,
}

impl Hint {
    pub(super) const NONE: Self = Self::Told { try_at: None };

    /// When somebody may go to see.
    pub(super) fn try_at(self) -> Option<Instant> {
        match self {
            Self::Told { try_at } => try_at,
            Self::Tried { again_at } => Some(again_at),
            Self::Doubted | Self::Proven => None,
        }
    }

    /// A good answer said that nothing is left for so long. People don't wait for longer than a short
    /// window for what may be wrong, jobs no longer than `cap`.
    pub(super) fn told(self, reset: Duration, excess: Excess, cap: Duration, now: Instant) -> Self {
        match (self, excess) {
            (Self::Told { .. }, Excess::Reject) => {
                Self::Told { try_at: (reset > A_MINUTE).then_some(now) }
            }
            (Self::Told { try_at }, Excess::Shape) => {
                Self::Told { try_at: try_at.or(Some(rt::after(now, cap))) }
            }
            // Others wait for the answer to the one that went.
            (known, _) => known,
        }
    }

    /// By our own count, nothing is left until then; the answers to those that went know more.
    pub(super) fn counted(self, until: Option<Instant>, now: Instant) -> Self {
        let is_far = until.is_some_and(|at| at > rt::after(now, A_MINUTE));
        match self == Self::NONE && is_far {
            true => Self::Told { try_at: Some(rt::after(now, A_SECOND)) },
            false => self,
        }
    }

    /// A request goes out; whether it goes to see is known by its time.
    pub(super) fn take(self, now: Instant) -> Self {
        match self.try_at().is_some_and(|at| at <= now) {
            // The answer mostly is here within a second.
            true => Self::Tried { again_at: rt::after(now, A_SECOND) },
            false => self,
        }
    }

    /// There is another window, of which nothing has been told yet.
    pub(super) fn renewed(self) -> Self {
        if self == Self::Doubted { self } else { Self::NONE }
    }
}

/// Longer windows don't pass while somebody waits.
const A_MINUTE: Duration = Duration::from_secs(60);
const A_SECOND: Duration = Duration::from_secs(1);
