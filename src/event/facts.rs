use std::time::Duration;

use http::StatusCode;

use crate::terms::{Class, Delivery};

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With an answer whose body was read, or left unread by choice.
    Answered {
        /// The answer's class.
        class: Class,
        /// The answer's status.
        status: StatusCode,
        /// Whether the body was read to its end.
        body_read: bool,
        /// What is known of the provider's part: of a call that was answered with a failure, or by a
        /// fallback, an earlier attempt may have done something all the same.
        delivery: Delivery,
    },
    /// Without an answer, or with one whose body broke.
    Failed {
        /// What it failed of.
        class: Class,
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// The caller went away before there was an answer.
    Abandoned {
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// Another request for the same call was answered first.
    Overtaken,
}

/// Where an attempt's time went, and how much was sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptDetail {
    /// Until there was a connection, new or kept; known where the client is the integration's own.
    pub acquired: Option<Duration>,
    /// Until the head of the answer, if there was one.
    pub head: Option<Duration>,
    /// The size of the request's body, where it is known beforehand.
    pub sent: Option<u64>,
    /// How much of the answer's body was read.
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

    /// Whether the provider may have acted; of a request that was overtaken, the other one tells.
    #[must_use]
    pub fn delivery(self) -> Option<Delivery> {
        match self {
            Self::Answered { delivery, .. }
            | Self::Failed { delivery, .. }
            | Self::Abandoned { delivery } => Some(delivery),
            Self::Overtaken => None,
        }
    }

    /// Attempts of a call in whose stack nobody counts them.
    pub(crate) fn attempts(self) -> u32 {
        match self {
            Self::Failed { class, .. } => u32::from(!class.is_local()),
            _ => 1,
        }
    }
}
