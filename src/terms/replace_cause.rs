/// Why a rotating client is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplaceCause {
    /// It is old.
    Age,
    /// Its connections could not be made, or broke, too often in a row.
    Failures,
}

impl ReplaceCause {
    /// The word for it, the same in spans, metrics and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Failures => "failures",
        }
    }
}
