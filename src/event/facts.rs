use std::time::Duration;

use http::StatusCode;

use crate::terms::{Class, Delivery};

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With an answer, whose body was read or deliberately left unread.
    Answered {
        /// The answer's class.
        class: Class,
        /// The answer's status.
        status: StatusCode,
        /// Whether the body was read to its end.
        body_read: bool,
        /// Whether the provider may have acted. After a failed answer, or a fallback's, an earlier
        /// attempt may have had an effect.
        delivery: Delivery,
    },
    /// Without an answer, or with one whose body broke off.
    Failed {
        /// The kind of failure.
        class: Class,
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// The caller left before there was an answer.
    Abandoned {
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// Another request for the same call was answered first.
    Overtaken,
}

/// The times of an attempt, and how much was sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptDetail {
    /// The time until there was a connection, new or reused. Known if the client is the
    /// integration's own.
    pub acquired: Option<Duration>,
    /// The time until the head of the answer, if there was one.
    pub head: Option<Duration>,
    /// The size of the request's body, if it is known beforehand.
    pub sent: Option<u64>,
    /// How many bytes of the answer's body were read.
    pub received: u64,
}

// === impl End ===

impl End {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Failed { .. } => "failed",
            Self::Abandoned { .. } => "abandoned",
            Self::Overtaken => "overtaken",
        }
    }

    /// Whether the provider may have acted. `None` if another request was faster: see that one's
    /// end.
    #[must_use]
    pub fn delivery(self) -> Option<Delivery> {
        match self {
            Self::Answered { delivery, .. }
            | Self::Failed { delivery, .. }
            | Self::Abandoned { delivery } => Some(delivery),
            Self::Overtaken => None,
        }
    }

    /// The number of attempts, for a call in whose stack no layer counts them.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            Self::Failed { class, .. } => u32::from(!class.is_local()),
            _ => 1,
        }
    }
}
