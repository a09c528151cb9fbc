use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::super::finding::Finding;
use super::super::path::find;
use super::super::prefix::Prefix;
use super::super::status_field::text;
use crate::terms::Verdict;

/// A row of [`Vendors`](super::Vendors).
///
/// ```
/// use outrigger::validate::{Row, Vendors, Verdict};
///
/// let row = Row::json(409, "/errors/*/code", "lock_timeout", Verdict::Transient);
/// let vendors = Vendors::new().row(row);
/// # let _ = vendors;
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) status: u16,
    sign: Sign,
    verdict: Verdict,
}

/// What is looked for.
#[derive(Clone, Debug)]
enum Sign {
    /// A member with this value.
    Is { at: Cow<'static, str>, value: Cow<'static, str> },
    /// A member with this in its text.
    Has { at: Cow<'static, str>, part: Cow<'static, str> },
    /// This in the body's text.
    Text(Cow<'static, str>),
}

impl Row {
    /// Answers of this status whose member at this JSON pointer is this text or number. In the pointer,
    /// `/*` is every item of an array.
    #[must_use]
    pub fn json(
        status: u16,
        at: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
        verdict: Verdict,
    ) -> Self {
        Self { status, sign: Sign::Is { at: at.into(), value: value.into() }, verdict }
    }

    /// Answers of this status whose member at this JSON pointer has this in its text.
    #[must_use]
    pub fn json_with(
        status: u16,
        at: impl Into<Cow<'static, str>>,
        part: impl Into<Cow<'static, str>>,
        verdict: Verdict,
    ) -> Self {
        Self { status, sign: Sign::Has { at: at.into(), part: part.into() }, verdict }
    }

    /// Answers of this status whose body, of any type, has this in its text.
    #[must_use]
    pub fn text(status: u16, part: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        Self { status, sign: Sign::Text(part.into()), verdict }
    }

    pub(super) fn find(&self, body: &Prefix<'_>) -> Option<Finding> {
        let found = |reason: &Cow<'static, str>| Finding::of(self.verdict, reason.clone());
        match &self.sign {
            Sign::Is { at, value } => {
                let is = |member: &Value| text(member).is_some_and(|text| text == *value);
                find(body.json().ok()?, at, &mut |member| is(member))?;
                Some(found(value).at(at.clone()))
            }
            Sign::Has { at, part } => {
                let has =
                    |member: &Value| member.as_str().is_some_and(|text| text.contains(&**part));
                find(body.json().ok()?, at, &mut |member| has(member))?;
                Some(found(part).at(at.clone()))
            }
            Sign::Text(part) => {
                let text = String::from_utf8_lossy(body.bytes());
                (!part.is_empty() && text.contains(&**part)).then(|| found(part))
            }
        }
    }
}

/// Seconds: a number, or `58s` and `0.5s`, as protobuf writes a duration in JSON.
pub(super) fn seconds(member: &Value) -> Option<Duration> {
    let seconds = match member {
        Value::Number(number) => number.as_f64()?,
        other => other.as_str()?.strip_suffix('s')?.parse().ok()?,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
