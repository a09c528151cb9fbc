use std::fmt;

/// Why a failed call was not retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GaveUp {
    /// Another attempt could not improve the result.
    NotRetryable,
    /// The provider may have acted, and the call is neither idempotent nor has an
    /// [idempotency key that counts](crate::idempotency).
    NotSafe,
    /// All attempts were used.
    Attempts,
    /// The next wait would have passed the deadline.
    Deadline,
    /// The next wait would have passed the clock-time limit.
    ElapsedLimit,
    /// The wait that was asked for is longer than the maximum.
    WaitTooLong,
    /// The retry budget is spent.
    Budget,
    /// The request's body was too large to be saved, or failed itself.
    BodyNotKept,
    /// A circuit breaker would refuse another attempt, or so many have failed in a row that another
    /// is useless.
    CircuitOpen,
    /// The provider would no longer know the idempotency key.
    KeyExpired,
    /// The request forbids it.
    Steered,
    /// The integration was stopped, or its retries.
    Stopped,
}

impl GaveUp {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::NotSafe => "not_safe",
            Self::Attempts => "attempts",
            Self::Deadline => "deadline",
            Self::ElapsedLimit => "elapsed_limit",
            Self::WaitTooLong => "wait_too_long",
            Self::Budget => "budget",
            Self::BodyNotKept => "body_not_kept",
            Self::CircuitOpen => "circuit_open",
            Self::KeyExpired => "key_expired",
            Self::Steered => "steered",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRetryable => "not retryable",
            Self::NotSafe => "not safe to repeat",
            Self::Attempts => "attempts used up",
            Self::Deadline => "no time left before the deadline",
            Self::ElapsedLimit => "no time left before the clock-time limit",
            Self::WaitTooLong => "asked to wait for too long",
            Self::Budget => "retry budget spent",
            Self::BodyNotKept => "request body not kept",
            Self::CircuitOpen => "circuit breaker opened",
            Self::KeyExpired => "idempotency key expired",
            Self::Steered => "told not to",
            Self::Stopped => "stopped by kill switch",
        })
    }
}
