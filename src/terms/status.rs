use std::fmt;

named! {
    /// How an integration is, in a word.
    Status {
        /// Calls go out, and nothing holds them back.
        Up: "up";
        /// Calls go out, and something is unusual: a breaker's open time is over and nobody has tried
        /// the provider yet, or it only reports that it is open, one of several breakers isn't closed,
        /// a local copy is outdated or its load was refused,
        /// the provider asked for a pause, a control was moved, or fault injection is on.
        Degraded: "degraded";
        /// A circuit breaker is open: calls are refused, or held, until one that tries the provider
        /// succeeds.
        Down: "down";
        /// Somebody stopped it.
        Stopped: "stopped";
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
