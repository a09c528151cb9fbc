/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCause {
    /// The peer ended it in an orderly way.
    ByPeer,
    /// It broke, or it was idle for as long as one that broke and has answered nothing since.
    Broken,
    /// It was unused for too long.
    Idle,
    /// It was too old.
    Expired,
    /// A request on it timed out or was dropped by its caller, or it was idle for as long as one
    /// that timed out and has answered nothing since.
    Cut,
    /// It led to the wrong server (421).
    Misdirected,
    /// There were more connections than needed.
    Surplus,
}

impl CloseCause {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByPeer => "by_peer",
            Self::Broken => "broken",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Cut => "cut",
            Self::Misdirected => "misdirected",
            Self::Surplus => "surplus",
        }
    }
}
