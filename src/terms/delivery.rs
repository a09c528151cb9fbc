/// Whether the provider may have acted on a failed call.
///
/// The worst of all attempts counts: if the first attempt of a call timed out and the second was
/// refused, the provider may have acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Delivery {
    /// The provider provably didn't act: nothing was sent, or it said that it didn't process the
    /// request.
    NotSent,
    /// The provider answered, and its answer says what it did.
    Answered,
    /// The request was sent, or may have been, and there was no answer.
    Unknown,
}

impl Delivery {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Answered => "answered",
            Self::Unknown => "unknown",
        }
    }
}
