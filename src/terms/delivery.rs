/// Whether the provider may have acted on a failed call.
///
/// The worst of all attempts counts: a call whose first attempt timed out and whose second was
/// refused may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Delivery {
    /// The provider provably did not act: nothing was sent, or it said that it left the request
    /// unprocessed.
    NotSent,
    /// The provider answered: what it did is what its answer says.
    Answered,
    /// It was sent, or may have been, and no answer came.
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
