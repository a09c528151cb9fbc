/// Why a kill switch's source could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceProblem {
    /// There is nothing there.
    Missing,
    /// What is there can't be read.
    Unreadable,
    /// What is there names no position.
    Malformed,
}

impl SourceProblem {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Malformed => "malformed",
        }
    }
}
