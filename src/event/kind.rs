use std::time::Duration;

use http::StatusCode;

use crate::error::Delivery;
use crate::outcome::{Class, GaveUp, Phase, Rejection};

/// Something that happened.
///
/// Durations of calls and attempts run to the end of the answer's body.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A caller began a call.
    CallStarted,
    /// A call is over, body included.
    CallFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
        /// How many requests went out for it.
        attempts: u32,
    },
    /// One request goes out.
    AttemptStarted,
    /// One request is over, its answer's body included.
    AttemptFinished {
        /// How it ended.
        end: End,
        /// From its start.
        elapsed: Duration,
    },
    /// An id from outside was not fit to be sent on and was replaced.
    CorrelationReplaced,
    /// Another attempt will follow.
    RetryScheduled {
        /// The attempt that failed; the first is 1.
        attempt: u32,
        /// What it failed of.
        class: Class,
        /// How long until the next.
        delay: Duration,
    },
    /// A failure is final.
    RetryGaveUp {
        /// The attempts that were made.
        attempts: u32,
        /// What the last failed of.
        class: Class,
        /// Why there is no other.
        why: GaveUp,
    },
    /// A circuit breaker changed its state.
    BreakerChanged {
        /// What it was.
        from: BreakerState,
        /// What it is now.
        to: BreakerState,
    },
    /// A circuit breaker refused a call.
    BreakerRejected,
    /// A circuit breaker in report-only mode would have refused a call.
    BreakerWouldReject,
    /// All places are taken and the call waits for one.
    BulkheadQueued,
    /// A bulkhead refused a call.
    BulkheadRejected {
        /// Why.
        why: Rejection,
    },
    /// The own client made a connection.
    ConnectionOpened,
    /// A connection of the own client was closed.
    ConnectionClosed {
        /// What closed it.
        cause: CloseCause,
        /// For how long it was open.
        lived: Duration,
    },
    /// A rotating client should be replaced.
    ClientReplaced {
        /// Why.
        cause: ReplaceCause,
        /// It was; if not, another could not be made, and it stays a while longer.
        replaced: bool,
    },
    /// A limit in clock time passed.
    TimedOut {
        /// Which.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
}

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
    },
    /// Without an answer, or with one whose body broke.
    Failed {
        /// What it failed of.
        class: Class,
        /// Whether the provider may have acted.
        delivery: Delivery,
    },
    /// The caller went away before there was an answer.
    Abandoned,
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
    /// It broke.
    Broken,
    /// Nobody used it for too long.
    Idle,
    /// It was too old.
    Expired,
    /// A limit passed on it, or its caller went away in the middle.
    Cut,
    /// It led to the wrong server (421).
    Misdirected,
    /// There were more than were needed.
    Surplus,
}
