/// What closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseCause {
    /// The peer ended it in an orderly way.
    ByPeer,
    /// It broke, or was kept as long as one that did and has answered nothing since.
    Broken,
    /// Nobody used it for too long.
    Idle,
    /// It was too old.
    Expired,
    /// A limit passed on it, or its caller went away in the middle; or it was kept as long as one on
    /// which a limit passed, and has answered nothing since.
    Cut,
    /// It led to the wrong server (421).
    Misdirected,
    /// There were more than were needed.
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
