named! {
    /// The state of an integration's token.
    TokenState {
        /// There was none yet. The first caller waits for it.
        Empty: "empty", "no token yet";
        /// It is sent.
        Fresh: "fresh", "fresh";
        /// It is sent, and renewed beside that.
        Soft: "soft", "ends soon";
        /// It has ended, the issuer is down, and the layer may
        /// [send it on](crate::token::TokenLayer::serve_expired).
        Expired: "expired", "sent after its end";
        /// It has ended. Callers wait for the next.
        Hard: "hard", "ended";
        /// There is none, and the last fetch failed. Callers get its error until the next.
        Failing: "failing", "no token";
        /// The provider refused it. Callers wait for the next.
        Refused: "refused", "refused";
    }
}

impl TokenState {
    /// Whether a token is sent that lives.
    pub(crate) const fn is_sent(self) -> bool {
        matches!(self, Self::Fresh | Self::Soft)
    }
}
