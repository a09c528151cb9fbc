use std::time::Duration;

use crate::outcome::GaveUp;

/// Steers the retries of one request, in its extensions.
///
/// ```
/// use outrigger::retry::Steer;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(Steer::Never);
/// ```
///
/// A deadline of its own is a [`CallDeadline`](crate::context::CallDeadline).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Steer {
    /// One attempt.
    Never,
    /// At most two attempts.
    Once,
    /// Safe to repeat, although its method isn't: a search by POST, for example.
    Safe,
}

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
