use std::borrow::Cow;

use serde_json::Value;

use super::check::{Answered, Check};
use super::finding::Finding;
use super::path::at;
use super::prefix::Prefix;
use crate::terms::Verdict;

/// A member of a JSON answer that says whether the request succeeded: `{"ok": false, "error": "…"}`.
///
/// ```
/// use outrigger::validate::{StatusField, ValidateLayer, Verdict};
///
/// let status = StatusField::new("/status", "success")
///     .or_success("accepted")
///     .code_at("/error/code")
///     .code("busy", Verdict::Transient);
/// let layer = ValidateLayer::new().enforce(status);
/// # let _ = layer;
/// ```
///
/// - An answer without the member is [`Verdict::Invalid`].
/// - One with another value gets the verdict of its code; a code that isn't in the table, and none, is
///   [`Verdict::Permanent`], because most codes are refusals of the business.
/// - Where an answer has [several](Self::each) results, some failures among successes are
///   [`Verdict::Partial`]; if all failed, the worst verdict counts.
#[derive(Clone, Debug)]
pub struct StatusField {
    name: &'static str,
    at: Cow<'static, str>,
    success: Vec<Value>,
    code_at: Option<Cow<'static, str>>,
    codes: Vec<(Cow<'static, str>, Verdict)>,
    otherwise: Verdict,
    each: Option<Cow<'static, str>>,
}

impl StatusField {
    /// The member at this JSON pointer, and its value in an answer that succeeded.
    #[must_use]
    pub fn new(at: impl Into<Cow<'static, str>>, success: impl Into<Value>) -> Self {
        Self {
            name: "status_field",
            at: at.into(),
            success: vec![success.into()],
            code_at: None,
            codes: Vec::new(),
            otherwise: Verdict::Permanent,
            each: None,
        }
    }

    /// Slack's `ok` and `error` (Slack, *Using the Web API*, and each method's list of errors).
    ///
    /// | error | verdict |
    /// |---|---|
    /// | `ratelimited`, `rate_limited` | throttled, for the time of `Retry-After` |
    /// | `invalid_auth`, `not_authed`, `token_expired`, `token_revoked`, `account_inactive` | unauthorized |
    /// | `internal_error`, `fatal_error`, `service_unavailable`, `request_timeout`, `team_added_to_org`, `org_login_required` | transient |
    /// | others | permanent |
    #[must_use]
    pub fn slack() -> Self {
        let slack = Self::new("/ok", true).code_at("/error");
        let with = |slack: Self, codes: &[&'static str], verdict| {
            codes.iter().fold(slack, |slack, code| slack.code(*code, verdict))
        };
        let slack = with(slack, &SLACK_THROTTLED, Verdict::Throttled);
        let slack = with(slack, &SLACK_UNAUTHORIZED, Verdict::Unauthorized);
        Self { name: "slack", ..with(slack, &SLACK_TRANSIENT, Verdict::Transient) }
    }

    /// Another value of an answer that succeeded.
    #[must_use]
    pub fn or_success(mut self, value: impl Into<Value>) -> Self {
        self.success.push(value.into());
        self
    }

    /// Where the failure's code stands; by default, it is the value of the member itself.
    #[must_use]
    pub fn code_at(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.code_at = Some(pointer.into());
        self
    }

    /// What a code means. A number is compared as text.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        self.codes.push((code.into(), verdict));
        self
    }

    /// What all other codes mean.
    #[must_use]
    pub fn otherwise(mut self, verdict: Verdict) -> Self {
        self.otherwise = verdict;
        self
    }

    /// The answer has several results, in an array at this pointer; the other pointers start at each of
    /// them. Without an array there, it is [`Verdict::Invalid`]; an empty one passes.
    #[must_use]
    pub fn each(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.each = Some(pointer.into());
        self
    }

    pub(super) fn find(&self, result: &Value) -> Finding {
        let Some(status) = at(result, &self.at) else {
            return Finding::invalid("it is missing").at(self.at.clone());
        };
        if self.success.iter().any(|success| is_same(success, status)) {
            return Finding::pass();
        }
        let code_at = self.code_at.as_ref().unwrap_or(&self.at);
        let code = at(result, code_at).and_then(text);
        let known = code.and_then(|code| self.codes.iter().find(|(known, _)| *known == code));
        let finding = match known {
            Some((code, verdict)) => Finding::of(*verdict, code.clone()),
            None => Finding::of(self.otherwise, "it is no success, for another reason"),
        };
        finding.at(code_at.clone())
    }
}

impl Check for StatusField {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self, _: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let json = match body.json() {
            Ok(json) => json,
            Err(finding) => return finding,
        };
        let Some(each) = &self.each else { return self.find(json) };
        match at(json, each).and_then(Value::as_array) {
            Some(results) => Finding::of_several(results.iter().map(|result| self.find(result))),
            None => Finding::invalid("it is no array").at(each.clone()),
        }
    }
}

/// Whether two values are the same: 0 and 0.0 are.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || one.is_number() && one.as_f64() == other.as_f64()
}

/// A code as text.
pub(super) fn text(code: &Value) -> Option<Cow<'_, str>> {
    match code {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

const SLACK_UNAUTHORIZED: [&str; 5] =
    ["invalid_auth", "not_authed", "token_expired", "token_revoked", "account_inactive"];
const SLACK_THROTTLED: [&str; 2] = ["ratelimited", "rate_limited"];
const SLACK_TRANSIENT: [&str; 6] = [
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    // The workspace moves to an enterprise's, for some minutes.
    "team_added_to_org",
    "org_login_required",
];
