use std::fmt;

/// The phase of a call in which a time limit passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The call as a whole: queues, waits, attempts and body.
    Call,
    /// One attempt, to the response head.
    Attempt,
    /// The wait for a connection of the pool.
    Acquire,
    /// Making a connection: name, TCP and TLS.
    Connect,
    /// From the end of the request to the response head.
    ResponseHead,
    /// Sending the request's body: the provider took nothing of it for too long.
    Upload,
    /// Receiving the response's body: nothing of it arrived for too long.
    BodyIdle,
    /// A limit of the client or the system, which doesn't say which one.
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
