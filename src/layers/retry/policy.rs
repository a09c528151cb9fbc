use http::StatusCode;

use crate::error::Error;
use crate::outcome::Class;

/// Says whether another attempt could be better than this result.
///
/// It is the first of several questions: whether repeating is safe, in time and within the budget is
/// the layer's to ask, whatever the policy says.
pub trait RetryPolicy: Send + Sync + 'static {
    /// Whether another attempt could be better.
    fn wants(&self, failed: &FailedAttempt<'_>) -> bool;
}

/// A result that was no success.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FailedAttempt<'a> {
    /// What it means.
    pub class: Class,
    /// The status, where there was an answer.
    pub status: Option<StatusCode>,
    /// The error, where there was none.
    pub error: Option<&'a Error>,
    /// Which attempt it was; the first is 1. A [`hedge`](crate::hedge)'s second request is one more.
    pub attempt: u32,
    /// The call has an idempotency key.
    pub keyed: bool,
    /// The key may have been used by an earlier call, because the caller brought it.
    pub key_from_caller: bool,
}

/// The default policy. See the [module](super).
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardPolicy {
    conflicts: bool,
}

impl StandardPolicy {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also retries 409 of calls without a key, for providers that answer it to what may succeed a
    /// moment later.
    #[must_use]
    pub fn with_conflicts(mut self) -> Self {
        self.conflicts = true;
        self
    }

    fn wants_status(self, status: StatusCode, failed: &FailedAttempt<'_>) -> bool {
        match status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::MISDIRECTED_REQUEST
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => true,
            // Under a key, the first of two is still running; but only if there was a first.
            StatusCode::CONFLICT => {
                self.conflicts || failed.keyed && (failed.attempt > 1 || failed.key_from_caller)
            }
            _ => false,
        }
    }
}

impl RetryPolicy for StandardPolicy {
    fn wants(&self, failed: &FailedAttempt<'_>) -> bool {
        match failed.class {
            Class::Timeout(_)
            | Class::Transport(_)
            | Class::Throttled
            | Class::Invalid
            | Class::Other => true,
            Class::ServerError => !matches!(
                failed.status,
                Some(StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED)
            ),
            Class::ClientError => {
                failed.status.is_some_and(|status| self.wants_status(status, failed))
            }
            Class::Success
            | Class::Partial
            | Class::Unauthorized
            | Class::Rejected(_)
            | Class::Request => false,
        }
    }
}
