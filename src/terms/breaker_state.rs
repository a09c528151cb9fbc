named! {
    /// The state of a circuit breaker.
    BreakerState {
        /// All calls pass.
        Closed: "closed";
        /// No call passes.
        Open: "open";
        /// A few probes pass.
        HalfOpen: "half_open";
    }
}
