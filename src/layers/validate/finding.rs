use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::outcome::{FailedCheck, Place};
use crate::terms::{Unchecked, Verdict};

/// What a check found: a verdict, where, and why.
///
/// Where and why are shown in errors, events and samples: say which field and which rule, never a value
/// of the answer.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a finding has no effect unless a check returns it"]
pub struct Finding {
    pub(super) verdict: Verdict,
    pub(super) pointer: Option<Cow<'static, str>>,
    pub(super) reason: Cow<'static, str>,
    pub(super) wait: Option<Duration>,
    pub(super) unchecked: Option<Unchecked>,
    /// Whether the provider carried a part of the request out, whatever the verdict; `None` where the check
    /// doesn't know.
    pub(super) carried_out: Option<bool>,
    #[cfg(feature = "json")]
    pub(super) problem: Option<Box<super::Problem>>,
}

impl Finding {
    /// The answer is as it should be.
    pub fn pass() -> Self {
        Self::of(Verdict::Pass, "")
    }

    /// The provider did a part of what was asked.
    pub fn partial(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Partial, reason)
    }

    /// The provider failed; the same request may succeed later.
    pub fn transient(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Transient, reason)
    }

    /// The provider refused this request, and would refuse it again.
    pub fn permanent(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Permanent, reason)
    }

    /// The provider asks for fewer or later requests: after this time, or as its headers say.
    pub fn throttled(wait: Option<Duration>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { wait, ..Self::of(Verdict::Throttled, reason) }
    }

    /// The credentials were refused. A [`token`](crate::token) is renewed. The call is repeated with it at once
    /// where the status is a 4xx, by which the provider says that it did nothing. With any other it may
    /// have done a part, so that only what is safe to repeat is repeated.
    pub fn unauthorized(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Unauthorized, reason)
    }

    /// The answer isn't what was agreed on.
    pub fn invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Verdict::Invalid, reason)
    }

    /// The check couldn't look at the answer.
    pub fn unchecked(why: Unchecked) -> Self {
        Self { unchecked: Some(why), ..Self::of(Verdict::Unchecked, why.to_string()) }
    }

    /// Where in the body, as a JSON pointer (RFC 6901): `/items/0/id`.
    pub fn at(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Where in the body it is.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The provider's wait, if it said one.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// What several results come to: some failures among successes are a part; if all failed, the first of
    /// the worst counts. Of none, it passes.
    #[cfg(feature = "json")]
    pub(super) fn of_several(found: impl Iterator<Item = Self>) -> Self {
        let (mut worst, mut has_success, mut carried_out) = (Self::pass(), false, Some(false));
        for finding in found {
            has_success |= matches!(finding.verdict, Verdict::Pass | Verdict::Partial);
            // It was if one was, and was not if none was.
            carried_out = match (carried_out, finding.carried_out) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                _ => Some(false),
            };
            if finding.verdict.severity() > worst.verdict.severity() {
                worst = finding;
            }
        }
        let verdict = match has_success && worst.verdict != Verdict::Pass {
            true => Verdict::Partial,
            false => worst.verdict,
        };
        Self { verdict, carried_out, ..worst }
    }

    pub(super) fn failed(self, check: &'static str, status: StatusCode) -> FailedCheck {
        let Self { verdict, pointer, reason, .. } = self;
        FailedCheck { check, verdict, status, pointer, reason }
    }

    /// A finding with this verdict.
    pub(super) fn of(verdict: Verdict, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            verdict,
            pointer: None,
            reason: reason.into(),
            wait: None,
            unchecked: None,
            carried_out: None,
            #[cfg(feature = "json")]
            problem: None,
        }
    }
}

impl fmt::Display for Finding {
    /// Why, and where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.reason, Place(self.pointer()))
    }
}
