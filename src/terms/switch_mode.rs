use std::fmt;

use super::rejection::Rejection;

named! {
    /// What a kill switch lets happen.
    ///
    /// The names are the positions as they stand in a file: `on`, `no-retries`, `cache-only`,
    /// `fallback-only`, `off`.
    #[derive(Default)]
    SwitchMode {
        /// Everything.
        #[default]
        On: "on";
        /// Calls, each with one attempt: no retries and no hedges.
        NoRetries: "no-retries";
        /// Answers that a cache has, and no calls.
        CacheOnly: "cache-only";
        /// The fallback's answers, and no calls.
        FallbackOnly: "fallback-only";
        /// Nothing: calls fail.
        Off: "off";
    }
}

impl SwitchMode {
    /// Every position, from all to nothing.
    pub const ALL: [Self; 5] =
        [Self::On, Self::NoRetries, Self::CacheOnly, Self::FallbackOnly, Self::Off];

    /// Whether calls go out.
    #[must_use]
    pub const fn lets_calls_through(self) -> bool {
        matches!(self, Self::On | Self::NoRetries)
    }

    /// Why it refuses calls, if it does.
    pub(crate) const fn rejection(self) -> Option<Rejection> {
        match self {
            Self::On | Self::NoRetries => None,
            Self::CacheOnly => Some(Rejection::CacheOnly),
            Self::FallbackOnly => Some(Rejection::FallbackOnly),
            Self::Off => Some(Rejection::Stopped),
        }
    }
}

impl fmt::Display for SwitchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
