use std::fmt;

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

impl Phase {
    /// The word for a timeout of it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call_timeout",
            Self::Attempt => "attempt_timeout",
            Self::Acquire => "acquire_timeout",
            Self::Connect => "connect_timeout",
            Self::ResponseHead => "response_head_timeout",
            Self::Upload => "upload_timeout",
            Self::BodyIdle => "body_idle_timeout",
            Self::Transport => "transport_timeout",
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
