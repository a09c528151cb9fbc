named! {
    /// Why a layer refused to send.
    Rejection {
        /// The circuit breaker is open.
        CircuitOpen: "circuit_open", "circuit breaker open";
        /// Every place, and every place in the queue, is taken.
        Full: "bulkhead_full", "bulkhead full";
        /// No place came free in the time allowed for the queue.
        QueueTimeout: "bulkhead_queue_timeout", "bulkhead queue timed out";
        /// The rate limit would let it pass only too late.
        RateLimited: "rate_limited", "rate limit reached";
        /// Somebody switched the integration off.
        Stopped: "switched_off", "integration switched off";
        /// Somebody switched the integration to its fallback.
        FallbackOnly: "switched_to_fallback", "integration switched to its fallback";
        /// Somebody switched the integration to what its cache knows, which isn't this.
        CacheOnly: "switched_to_cache", "integration switched to its cache";
        /// There is no token to send, and its issuer gives none.
        NoToken: "no_token", "no token";
    }
}
