use super::class::Class;

named! {
    /// What a check says of an answer.
    Verdict {
        /// It is as it should be: its status says what it means.
        Pass: "pass";
        /// The provider did a part of what was asked.
        Partial: "partial";
        /// The provider failed; the same request may succeed later.
        Transient: "transient";
        /// The provider refused this request: the same one would be refused again.
        Permanent: "permanent";
        /// The provider asks for fewer or later requests.
        Throttled: "throttled";
        /// The credentials were refused.
        Unauthorized: "unauthorized";
        /// It isn't what was agreed on: something is missing, or of another type.
        Invalid: "invalid";
        /// Nobody could look at it.
        Unchecked: "unchecked";
    }
}

named! {
    /// Why an answer couldn't be checked.
    Unchecked {
        /// Its body is larger than the cap, or comes in more pieces than are kept.
        TooLarge: "too_large", "the body is larger than the cap";
        /// Its body is compressed (`Content-Encoding`), and checks don't decompress.
        Encoded: "encoded", "the body is compressed";
        /// Its body is a stream of events or parts, which nobody may hold back.
        Streamed: "streamed", "the body is a stream";
        /// It is JSON that can't be read here: nested over 127 levels deep, or with a number or a character
        /// out of range.
        Unreadable: "unreadable", "the body is json that can't be read here";
        /// Its body broke off or came too slowly, and its status says enough, or the check only tells.
        Incomplete: "incomplete", "the body did not come";
        /// The check panicked.
        Panicked: "panicked", "the check panicked";
    }
}

impl Verdict {
    /// The class that it gives an answer; `None` where the status says it.
    #[must_use]
    pub const fn class(self) -> Option<Class> {
        match self {
            Self::Pass | Self::Unchecked => None,
            Self::Partial => Some(Class::Partial),
            Self::Transient => Some(Class::ServerError),
            Self::Permanent => Some(Class::ClientError),
            Self::Throttled => Some(Class::Throttled),
            Self::Unauthorized => Some(Class::Unauthorized),
            Self::Invalid => Some(Class::Invalid),
        }
    }
    /// How bad it is, among several results of one answer: what can't succeed comes after what may.
    #[cfg(feature = "json")]
    pub(crate) const fn severity(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Unchecked => 1,
            Self::Partial => 2,
            Self::Transient => 3,
            Self::Throttled => 4,
            Self::Unauthorized => 5,
            Self::Permanent => 6,
            Self::Invalid => 7,
        }
    }
}
