named! {
    /// Why a failed call was not retried.
    GaveUp {
        /// Another attempt could not improve the result.
        NotRetryable: "not_retryable", "not retryable";
        /// The provider may have acted, and the call is neither idempotent nor has an
        /// [idempotency key that counts](crate::idempotency).
        NotSafe: "not_safe", "not safe to repeat";
        /// All attempts were used.
        Attempts: "attempts", "attempts used up";
        /// The next wait would have passed the deadline.
        Deadline: "deadline", "no time left before the deadline";
        /// The next wait would have passed the clock-time limit.
        ElapsedLimit: "elapsed_limit", "no time left before the clock-time limit";
        /// The wait that was asked for is longer than the maximum.
        WaitTooLong: "wait_too_long", "asked to wait for too long";
        /// The retry budget is spent.
        Budget: "budget", "retry budget spent";
        /// The request's body was too large to be saved, or failed itself.
        BodyNotKept: "body_not_kept", "request body not kept";
        /// A circuit breaker would refuse another attempt, or so many have failed in a row that another
        /// is useless.
        CircuitOpen: "circuit_open", "circuit breaker opened";
        /// The provider would no longer know the idempotency key.
        KeyExpired: "key_expired", "idempotency key expired";
        /// The request forbids it.
        Overridden: "overridden", "told not to";
        /// The integration was stopped, or its retries.
        Stopped: "stopped", "stopped by kill switch";
    }
}

#[doc(hidden)]
#[expect(non_upper_case_globals, reason = "the variant's former name")]
impl GaveUp {
    pub const Steered: Self = Self::Overridden;
}
