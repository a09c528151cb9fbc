use std::time::Duration;

use crate::outcome::GaveUp;

/// What it took to get a response, in its extensions.
///
/// Present where there was more than one attempt, or a failed answer was given up on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retries {
    /// The attempts that were made.
    pub attempts: u32,
    /// How long was waited between them.
    pub waited: Duration,
    /// Why there was no further one, where the last failed.
    pub gave_up: Option<GaveUp>,
}
