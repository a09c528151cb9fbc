use http::StatusCode;

/// A fault that was injected into a call.
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
    /// It passes on the provider's body slowly.
    SlowBody,
    /// It answers 200 with a body of its own, and sends nothing.
    Answer,
}

impl InjectedFault {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Status(_) => "status",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::SlowBody => "slow_body",
            Self::Answer => "answer",
        }
    }
}
