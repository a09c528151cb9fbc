named! {
    /// Whether the provider may have acted on a failed call.
    ///
    /// The worst of all attempts counts: if the first attempt of a call timed out and the second was
    /// refused, the provider may have acted.
    #[derive(PartialOrd, Ord)]
    Delivery {
        /// The provider provably didn't act: nothing was sent, or it said that it didn't process the
        /// request.
        NotSent: "not_sent";
        /// The provider answered, and its answer says what it did.
        Answered: "answered";
        /// The request was sent, or may have been, and there was no answer.
        Unknown: "unknown";
    }
}
