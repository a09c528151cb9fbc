use std::fmt;

/// What a result means for those who must decide about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The provider did what was asked.
    Success,
    /// The provider did a part of it.
    Partial,
    /// The request is wrong: ours to mend, and of no use to repeat. A redirect that nobody followed is
    /// one too: the request belongs to another URL.
    ClientError,
    /// The provider asks for less, or for later.
    Throttled,
    /// The provider failed.
    ServerError,
    /// The credentials were refused.
    Unauthorized,
    /// A success that failed a check.
    Invalid,
    /// A limit in clock time passed.
    Timeout(Phase),
    /// The connection could not be made, or broke.
    Transport(Fault),
    /// A layer here refused; the provider knows nothing of it.
    Rejected(Rejection),
    /// The request could not be sent as it is.
    Request,
    /// The inner service failed in a way of its own.
    Other,
}

/// Where the time went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The call as a whole: queues, waits, attempts and body.
    Call,
    /// One attempt, to the response head.
    Attempt,
    /// A connection of the pool, all of which were in use.
    Acquire,
    /// The making of a connection: name, TCP and TLS.
    Connect,
    /// From the end of the request to the response head.
    ResponseHead,
    /// The request's body, of which the provider took nothing for too long.
    Upload,
    /// The response's body, of which nothing came for too long.
    BodyIdle,
    /// A limit of the client or the system below, which doesn't say what for.
    Transport,
}

/// How a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The name could not be resolved.
    Dns,
    /// Nobody listens.
    Refused,
    /// The connection could not be made for another reason.
    Connect,
    /// TLS could not be agreed on, or broke.
    Tls,
    /// The connection was reset.
    Reset,
    /// The connection ended before the message did.
    Closed,
    /// The peer broke the protocol.
    Protocol,
    /// The peer said that it did not process the request (HTTP/2 `REFUSED_STREAM`; RFC 9113, 8.7),
    /// or the client took it back unsent.
    NotProcessed,
    /// The peer is ending the connection in an orderly way (HTTP/2 `GOAWAY` without an error) that
    /// had the request on it. It may have processed it: clients report this for streams on either
    /// side of the last one that the peer names.
    GoneAway,
    /// The response's body could not be read or decoded.
    Body,
    /// Something else.
    Other,
}

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

// === impl Class ===

impl Class {
    /// Whether the provider did what was asked, or a part of it.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::Partial)
    }

    /// Whether it speaks against the provider's health.
    ///
    /// Errors of ours (4xx, redirects that nobody followed), throttling, local rejections and a full pool don't, nor does a peer that ends a
    /// connection in an orderly way: servers do so after every so many requests.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::ServerError | Self::Invalid | Self::Other => true,
            Self::Timeout(phase) => !matches!(phase, Phase::Acquire),
            Self::Transport(_) => !self.is_moved(),
            _ => false,
        }
    }

    /// Whether it says nothing at all about the provider's health, good or bad.
    pub(crate) const fn says_nothing(self) -> bool {
        self.is_local() || matches!(self, Self::Timeout(Phase::Acquire))
    }

    /// Whether the provider did its part, if only to say that the request is wrong.
    pub(crate) const fn is_verdict(self) -> bool {
        self.is_success() || matches!(self, Self::ClientError | Self::Unauthorized)
    }

    /// Whether just the connection is gone, and another one is all that it takes.
    pub(crate) const fn is_moved(self) -> bool {
        matches!(self, Self::Transport(Fault::NotProcessed | Fault::GoneAway))
    }

    /// Whether it says nothing about the provider, because nothing of it reached the provider.
    #[must_use]
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Request)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("success"),
            Self::Partial => f.write_str("partial success"),
            Self::ClientError => f.write_str("client error"),
            Self::Throttled => f.write_str("throttled"),
            Self::ServerError => f.write_str("server error"),
            Self::Unauthorized => f.write_str("unauthorized"),
            Self::Invalid => f.write_str("invalid answer"),
            Self::Timeout(phase) => write!(f, "{phase} timeout"),
            Self::Transport(fault) => fault.fmt(f),
            Self::Rejected(why) => why.fmt(f),
            Self::Request => f.write_str("unsendable request"),
            Self::Other => f.write_str("inner failure"),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Attempt => "attempt",
            Self::Acquire => "pool acquire",
            Self::Connect => "connect",
            Self::ResponseHead => "response head",
            Self::Upload => "upload",
            Self::BodyIdle => "idle body",
            Self::Transport => "transport",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "name could not be resolved",
            Self::Refused => "connection refused",
            Self::Connect => "connection could not be made",
            Self::Tls => "tls failed",
            Self::Reset => "connection reset",
            Self::Closed => "connection closed before the message was complete",
            Self::Protocol => "protocol error",
            Self::NotProcessed => "request was not processed",
            Self::GoneAway => "connection was ended by its peer",
            Self::Body => "response body could not be read",
            Self::Other => "transport failed",
        })
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
