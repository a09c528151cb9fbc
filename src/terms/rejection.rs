use std::fmt;

/// Why a layer refused to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The circuit breaker is open.
    CircuitOpen,
    /// Every place, and every place in the queue, is taken.
    Full,
    /// No place came free in the time allowed for the queue.
    QueueTimeout,
    /// The rate limit would let it pass only too late.
    RateLimited,
    /// Somebody switched the integration off.
    Stopped,
    /// Somebody switched the integration to its fallback.
    FallbackOnly,
    /// Somebody switched the integration to what its cache knows, which isn't this.
    CacheOnly,
}

impl Rejection {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::Full => "bulkhead_full",
            Self::QueueTimeout => "bulkhead_queue_timeout",
            Self::RateLimited => "rate_limited",
            Self::Stopped => "switched_off",
            Self::FallbackOnly => "switched_to_fallback",
            Self::CacheOnly => "switched_to_cache",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CircuitOpen => "circuit breaker open",
            Self::Full => "bulkhead full",
            Self::QueueTimeout => "bulkhead queue timed out",
            Self::RateLimited => "rate limit reached",
            Self::Stopped => "integration switched off",
            Self::FallbackOnly => "integration switched to its fallback",
            Self::CacheOnly => "integration switched to its cache",
        })
    }
}
