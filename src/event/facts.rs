use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::outcome::{Class, Delivery};

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

/// What a circuit breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing.
    Open,
    /// A few probes.
    HalfOpen,
}

/// Why a rotating client is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplaceCause {
    /// It is old.
    Age,
    /// Its connections could not be made, or broke, too often in a row.
    Failures,
}

/// What closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCause {
    /// The peer ended it in an orderly way.
    ByPeer,
    /// It broke, or was kept as long as one that did and has answered nothing since.
    Broken,
    /// Nobody used it for too long.
    Idle,
    /// It was too old.
    Expired,
    /// A limit passed on it, or its caller went away in the middle; or it was kept as long as one on
    /// which a limit passed, and has answered nothing since.
    Cut,
    /// It led to the wrong server (421).
    Misdirected,
    /// There were more than were needed.
    Surplus,
}

/// What a kill switch lets happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchMode {
    /// Everything.
    #[default]
    On,
    /// Calls, each with one attempt: no retries and no hedges.
    NoRetries,
    /// Answers that a cache has, and no calls.
    CacheOnly,
    /// The fallback's answers, and no calls.
    FallbackOnly,
    /// Nothing: calls fail.
    Off,
}

/// Why a kill switch's source could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceProblem {
    /// There is nothing there.
    Missing,
    /// What is there can't be read.
    Unreadable,
    /// What is there names no position.
    Malformed,
}

/// What a rehearsal does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InjectedFault {
    /// It waits before the request is sent.
    Latency,
    /// It answers with this status, and sends nothing.
    Status(StatusCode),
    /// It never answers, and sends nothing.
    Hang,
    /// It breaks the connection, and sends nothing.
    Reset,
    /// It hands on the provider's body slowly.
    SlowBody,
    /// It answers 200 with a body of its own, and sends nothing.
    Answer,
}

// === impl End ===

impl End {
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

// === impl SwitchMode ===

impl SwitchMode {
    /// Every position, from all to nothing.
    pub const ALL: [Self; 5] =
        [Self::On, Self::NoRetries, Self::CacheOnly, Self::FallbackOnly, Self::Off];

    /// The position's name, as it stands in a file: `on`, `no-retries`, `cache-only`,
    /// `fallback-only`, `off`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::NoRetries => "no-retries",
            Self::CacheOnly => "cache-only",
            Self::FallbackOnly => "fallback-only",
            Self::Off => "off",
        }
    }

    /// Whether calls go out.
    #[must_use]
    pub const fn lets_calls_through(self) -> bool {
        matches!(self, Self::On | Self::NoRetries)
    }
}

impl fmt::Display for SwitchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
