use std::fmt;

/// How an integration is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Calls go out, and nothing holds them back.
    Up,
    /// Calls go out, and something is unusual: a breaker's open time is over and nobody has tried
    /// the provider yet, or it only reports that it is open, one of several breakers isn't closed,
    /// the provider asked for a pause, somebody moved a control, or a rehearsal is on.
    Degraded,
    /// A circuit breaker is open: calls are refused, or held, until one that tries the provider
    /// succeeds.
    Down,
    /// Somebody stopped it.
    Stopped,
}

impl Status {
    /// The word for it, the same in health and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
