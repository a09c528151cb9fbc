use std::fmt;
use std::time::SystemTime;

use super::load_error::Problem;
use crate::rt::clamp_to_year_9999;
use crate::terms::local_copy::LoadFailure;

/// Why there is no copy to serve, or why a load came to nothing.
#[derive(Clone, Debug)]
pub struct LocalCopyError {
    copy: &'static str,
    what: What,
    problem: Option<Problem>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// There is no copy yet.
    Empty,
    /// The copy is older than it may be, since then.
    Expired(SystemTime),
    /// This load came to nothing.
    Load,
    /// The runtime of the task that loads has ended.
    Ended,
}

impl LocalCopyError {
    /// Why the last load came to nothing, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<LoadFailure> {
        self.problem.as_ref().map(|problem| problem.failure)
    }

    /// Since when the copy is older than it may be, if that is why it isn't served.
    #[must_use]
    pub fn expired_since(&self) -> Option<SystemTime> {
        match self.what {
            What::Expired(since) => Some(since),
            _ => None,
        }
    }

    pub(super) fn empty(copy: &'static str, problem: Option<Problem>) -> Self {
        Self { copy, what: What::Empty, problem }
    }

    pub(super) fn expired(copy: &'static str, since: SystemTime, problem: Option<Problem>) -> Self {
        Self { copy, what: What::Expired(since), problem }
    }

    pub(super) fn load(copy: &'static str, problem: Problem) -> Self {
        Self { copy, what: What::Load, problem: Some(problem) }
    }

    pub(super) fn ended(copy: &'static str) -> Self {
        Self { copy, what: What::Ended, problem: None }
    }
}

impl fmt::Display for LocalCopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copy = self.copy;
        match self.what {
            What::Empty => write!(f, "there is no copy of {copy:?} yet")?,
            What::Expired(since) => {
                let since = clamp_to_year_9999(since);
                let since = httpdate::fmt_http_date(since);
                write!(f, "the copy of {copy:?} is too old since {since}")?;
            }
            What::Load => write!(f, "{copy:?} was not loaded")?,
            What::Ended => write!(f, "{copy:?} is loaded no more: its runtime has ended")?,
        }
        match &self.problem {
            Some(problem) => write!(f, ": {}", problem.detail),
            None => Ok(()),
        }
    }
}

impl std::error::Error for LocalCopyError {}
