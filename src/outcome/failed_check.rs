use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

use crate::terms::Verdict;

/// Which check an answer failed, and where. It shows nothing of the answer's body.
///
/// It is an extension of an answer that failed its check, and the
/// [source](StdError::source) of an [`Error`](crate::Error) in such an answer's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCheck {
    pub(crate) check: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) status: StatusCode,
    pub(crate) pointer: Option<Cow<'static, str>>,
    pub(crate) reason: Cow<'static, str>,
}

impl FailedCheck {
    /// The check's name.
    #[must_use]
    pub fn check(&self) -> &'static str {
        self.check
    }

    /// What it said.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Where in the body, as a JSON pointer (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// Why, in the check's words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, verdict, status, reason, .. } = self;
        let place = Place(self.pointer());
        write!(f, "{check} says {} of a {}: {reason}{place}", verdict.name(), status.as_u16())
    }
}

impl StdError for FailedCheck {}

/// A place in a body, as text; nothing for the whole body.
pub(crate) struct Place<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.filter(|pointer| !pointer.is_empty()) {
            Some(pointer) => write!(f, " (at {pointer})"),
            None => Ok(()),
        }
    }
}
