//! The words of the inbox.

named! {
    /// Why a webhook was not accepted.
    #[derive(PartialOrd, Ord)]
    InboxErrorKind {
        /// A header that the scheme needs is missing.
        MissingHeader: "missing_header", "a header is missing";
        /// A header that the scheme needs came more than once.
        RepeatedHeader: "repeated_header", "a header came more than once";
        /// A header isn't written as the scheme says.
        MalformedHeader: "malformed_header", "a header is not written as it should be";
        /// None of the source's secrets made the signature over this body.
        Signature: "signature", "the signature was made by none of the secrets over this body";
        /// It was signed longer ago than the scheme tolerates.
        TooOld: "too_old", "it was signed too long ago";
        /// It was signed later than the scheme tolerates: a clock is wrong.
        InFuture: "in_future", "it was signed in the future";
        /// The request isn't a POST.
        Method: "method", "a webhook must be a post";
        /// The body is larger than the inbox allows.
        TooLarge: "too_large", "the body is too large";
        /// The body broke off.
        BodyFailed: "body_failed", "the body broke off";
        /// The body didn't arrive in time.
        BodyTimeout: "body_timeout", "the body did not arrive in time";
        /// Too much is under way: it was not looked at.
        Busy: "busy", "too many webhooks are under way";
        /// The store didn't record it, or not in time.
        Store: "store", "it could not be stored";
        /// The function of the host that verifies it panicked.
        Panicked: "panicked", "it could not be verified";
    }
}
