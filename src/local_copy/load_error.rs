use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::outcome::Error;
use crate::terms::local_copy::LoadFailure;

/// Why a loader has nothing.
///
/// Its text is shown in errors and health: put no secret and no answer's body into it.
///
/// ```
/// use outrigger::local_copy::LoadError;
///
/// let broken = LoadError::new("line 7 of the price list has no currency");
/// assert_eq!(broken.to_string(), "line 7 of the price list has no currency");
/// ```
#[derive(Clone, Debug)]
pub struct LoadError(Arc<str>);

/// Why a load came to nothing, and what is shown of it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) failure: LoadFailure,
    pub(super) detail: Arc<str>,
    /// What the guard refused.
    pub(super) refused: Option<Refused>,
}

/// By what a copy that was refused is known again.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) count: u64,
    /// The entity tag, where the provider gives one. A date of change says less: some say the present time.
    pub(super) version: Option<HeaderValue>,
}

impl LoadError {
    /// An error with this text.
    pub fn new(detail: impl Into<Arc<str>>) -> Self {
        Self(detail.into())
    }
}

impl Problem {
    pub(super) fn new(failure: LoadFailure, detail: impl Into<Arc<str>>) -> Self {
        Self { failure, detail: detail.into(), refused: None }
    }

    pub(super) fn refused(why: LoadError, refused: Refused) -> Self {
        Self { failure: LoadFailure::Refused, detail: why.0, refused: Some(refused) }
    }
}

/// A call that came to nothing.
impl From<Error> for LoadError {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

/// A loader that needs another copy.
impl From<super::LocalCopyError> for LoadError {
    fn from(error: super::LocalCopyError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        Self::new(LoadFailure::Failed, error.0)
    }
}

/// Doesn't show the validator.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("count", &self.count).finish_non_exhaustive()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}
