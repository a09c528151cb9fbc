named! {
    /// What a cache did for a call. It is an extension of the answer.
    CacheOutcome {
        /// It gave a stored answer that was fresh.
        Hit: "hit", "hit";
        /// It gave a stale answer, and fetches a new one in the background.
        StaleWhileRevalidate: "stale_while_revalidate", "stale, revalidated in the background";
        /// It gave a stale answer in place of an error.
        StaleIfError: "stale_if_error", "stale, in place of an error";
        /// It gave a stale answer, because the request accepts one (`max-stale`).
        StaleAccepted: "stale_accepted", "stale, as the request accepts";
        /// It asked the provider, who confirmed the stored answer.
        Revalidated: "revalidated", "revalidated";
        /// It gave the answer that another call for the same was fetching.
        Collapsed: "collapsed", "collapsed with another call";
        /// It had no answer, or not one that it could give.
        Miss: "miss", "miss";
        /// The call went past it.
        Bypass: "bypass", "bypass";
    }
}

impl CacheOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Hit,
        Self::StaleWhileRevalidate,
        Self::StaleIfError,
        Self::StaleAccepted,
        Self::Revalidated,
        Self::Collapsed,
        Self::Miss,
        Self::Bypass,
    ];

    /// Whether the answer is older than its lifetime, and so may be outdated.
    #[must_use]
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::StaleWhileRevalidate | Self::StaleIfError | Self::StaleAccepted)
    }

    /// Whether the provider wasn't asked for this call before it was answered.
    #[must_use]
    pub const fn is_from_store(self) -> bool {
        !matches!(self, Self::Miss | Self::Bypass | Self::Revalidated)
    }
}
