use std::fmt;

use super::rejection::Rejection;

/// What a kill switch lets happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchMode {
    /// Everything.
    #[default]
    On,
    /// Calls, each with one attempt: no retries and no hedges.
    NoRetries,
    /// Answers that a cache has, and no calls.
    CacheOnly,
    /// The fallback's answers, and no calls.
    FallbackOnly,
    /// Nothing: calls fail.
    Off,
}

impl SwitchMode {
    /// Every position, from all to nothing.
    pub const ALL: [Self; 5] =
        [Self::On, Self::NoRetries, Self::CacheOnly, Self::FallbackOnly, Self::Off];

    /// The position's name, as it stands in a file: `on`, `no-retries`, `cache-only`,
    /// `fallback-only`, `off`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::NoRetries => "no-retries",
            Self::CacheOnly => "cache-only",
            Self::FallbackOnly => "fallback-only",
            Self::Off => "off",
        }
    }

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
