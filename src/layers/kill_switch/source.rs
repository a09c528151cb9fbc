use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::setting::SwitchSetting;
use crate::terms::SourceProblem;

/// Provides a kill switch's setting, whenever it changes.
///
/// ```
/// use std::collections::VecDeque;
/// use outrigger::kill_switch::{SourceError, SwitchSetting, SwitchSource};
///
/// /// Settings that are known beforehand, one after the other.
/// struct Planned(VecDeque<SwitchSetting>);
///
/// impl SwitchSource for Planned {
///     async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
///         Some(Ok(self.0.pop_front()?))
///     }
/// }
/// ```
pub trait SwitchSource: Send + 'static {
    /// Waits for the next setting; `None` if there will be no other.
    ///
    /// Return a setting when it changes, and not each time it is read: otherwise it would override a
    /// setting by a handle. [`Polled`](super::Polled) does that.
    ///
    /// The future may be dropped while it waits, and the method called again. It must not block its
    /// thread, which is the runtime's. After a panic it is not called again, and its error stays.
    fn next(&mut self) -> impl Future<Output = Option<Result<SwitchSetting, SourceError>>> + Send;
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    problem: SourceProblem,
    detail: String,
}

impl SourceError {
    /// The problem, as a kind and as a sentence. The sentence is shown, so it must not hold a secret.
    #[must_use]
    pub fn new(problem: SourceProblem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into() }
    }

    /// The kind of the problem.
    #[must_use]
    pub fn problem(&self) -> SourceProblem {
        self.problem
    }

    pub(super) fn is_missing(&self) -> bool {
        self.problem == SourceProblem::Missing
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for SourceError {}

/// How long one read may take: far longer than usual, and short for a person who waits for the switch
/// to move.
pub(super) const READ_LIMIT: Duration = Duration::from_secs(10);
