named! {
    /// Why an issuer gave no token.
    TokenFailure {
        /// It may give one later.
        Transient: "transient";
        /// It refuses until somebody changes something.
        Settled: "settled";
        /// A person has to log in again.
        NeedsLogin: "needs_login";
    }
}
