use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::setting::SwitchSetting;
use crate::terms::SourceProblem;

/// Says where a kill switch shall stand, whenever that changes.
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
    /// Waits for the next word; `None` when there will be no other.
    ///
    /// A word is spoken when it changes, and not again each time it is looked at: whoever else moved
    /// the switch meanwhile would be overruled. [`Polled`](super::Polled) sees to that.
    ///
    /// It may be dropped while it waits, and asked again. It must not block its thread, which is the
    /// runtime's. One that panics is asked no more, and stays in trouble.
    fn next(&mut self) -> impl Future<Output = Option<Result<SwitchSetting, SourceError>>> + Send;
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    problem: SourceProblem,
    detail: String,
}

impl SourceError {
    /// What is wrong, in a word and in a sentence. Neither may hold a secret: they are shown.
    #[must_use]
    pub fn new(problem: SourceProblem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into() }
    }

    /// What is wrong, in a word.
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

/// How long a look may take: far more than one that is answered, and soon enough for a person who
/// wonders why a switch doesn't move.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
