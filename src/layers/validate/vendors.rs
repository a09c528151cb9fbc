use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::check::{Answered, Check};
use super::finding::Finding;
use super::path::find;
use super::prefix::Prefix;
use super::status_field::text;
use crate::terms::Verdict;

/// What well-known providers say in the bodies of answers whose status is ambiguous.
///
/// | status | in the body | of | verdict |
/// |---|---|---|---|
/// | 403, 429 | `/error/errors/*/reason`, `/error/details/*/reason`: `rateLimitExceeded`, `userRateLimitExceeded`, `RATE_LIMIT_EXCEEDED` | Google (*Handle API errors*, Drive and Gmail; AIP-193) | throttled |
/// | 429, 503 | `/error/details/*/retryDelay`: `58s` | Google (`google.rpc.RetryInfo`) | throttled, for that time |
/// | 403, 429 | `/message` has `secondary rate limit` | GitHub (*Rate limits for the REST API*) | throttled |
/// | 403 | `/*/errorCode`: `REQUEST_LIMIT_EXCEEDED` | Salesforce (*Status codes and error responses*) | throttled |
/// | 429 | `/error/code`: `insufficient_quota` | OpenAI (*Error codes*) | permanent: money, not time, is missing |
/// | 200 | `<Error><Code>InternalError</Code>`, `SlowDown` | Amazon S3 (*CopyObject*, *CompleteMultipartUpload*: an error may be in a 200) | transient, throttled |
///
/// Rows of your own are [added](Self::row), and are asked first. An answer that no row fits means what
/// its status says.
#[derive(Clone, Debug)]
pub struct Vendors {
    rows: Vec<Row>,
}

/// A row of [`Vendors`].
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
    status: u16,
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
    /// A member that says how long to wait: seconds, with `s` behind.
    Wait { at: Cow<'static, str> },
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

    fn wait(status: u16, at: &'static str) -> Self {
        Self { status, sign: Sign::Wait { at: at.into() }, verdict: Verdict::Throttled }
    }

    fn find(&self, body: &Prefix<'_>) -> Option<Finding> {
        let found = |reason: &Cow<'static, str>| Finding::of(self.verdict, reason.clone());
        let json = || body.json().ok();
        match &self.sign {
            Sign::Is { at, value } => {
                let is = |member: &Value| text(member).is_some_and(|text| text == *value);
                find(json()?, at, &mut |member| is(member))?;
                Some(found(value).at(at.clone()))
            }
            Sign::Has { at, part } => {
                let has =
                    |member: &Value| member.as_str().is_some_and(|text| text.contains(&**part));
                find(json()?, at, &mut |member| has(member))?;
                Some(found(part).at(at.clone()))
            }
            Sign::Wait { at } => {
                let member = find(json()?, at, &mut |member| seconds(member).is_some())?;
                Some(Finding::throttled(seconds(member), "it says how long to wait").at(at.clone()))
            }
            Sign::Text(part) => {
                let (bytes, part_bytes) = (body.bytes(), part.as_bytes());
                let is_there = !part_bytes.is_empty()
                    && bytes.windows(part_bytes.len()).any(|window| window == part_bytes);
                is_there.then(|| found(part))
            }
        }
    }
}

impl Vendors {
    /// The table above.
    #[must_use]
    pub fn new() -> Self {
        let throttled = |status, at: &'static str, value: &'static str| {
            Row::json(status, at, value, Verdict::Throttled)
        };
        let mut rows = Vec::new();
        for status in [429, 503] {
            rows.push(Row::wait(status, "/error/details/*/retryDelay"));
        }
        for status in [403, 429] {
            for reason in ["rateLimitExceeded", "userRateLimitExceeded"] {
                rows.push(throttled(status, "/error/errors/*/reason", reason));
            }
            rows.push(throttled(status, "/error/details/*/reason", "RATE_LIMIT_EXCEEDED"));
            rows.push(Row::json_with(
                status,
                "/message",
                "secondary rate limit",
                Verdict::Throttled,
            ));
        }
        rows.push(throttled(403, "/*/errorCode", "REQUEST_LIMIT_EXCEEDED"));
        rows.push(Row::json(429, "/error/code", "insufficient_quota", Verdict::Permanent));
        rows.push(Row::text(200, "<Error><Code>InternalError</Code>", Verdict::Transient));
        rows.push(Row::text(200, "<Error><Code>SlowDown</Code>", Verdict::Throttled));
        Self { rows }
    }

    /// Adds a row before the others.
    #[must_use]
    pub fn row(mut self, row: Row) -> Self {
        self.rows.insert(0, row);
        self
    }
}

impl Default for Vendors {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for Vendors {
    fn name(&self) -> &'static str {
        "vendors"
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        self.rows.iter().any(|row| row.status == answer.status.as_u16())
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        if let Err(unchecked) = body.whole() {
            return unchecked;
        }
        let mut rows = self.rows.iter().filter(|row| row.status == answer.status.as_u16());
        rows.find_map(|row| row.find(body)).unwrap_or_else(Finding::pass)
    }
}

/// `58s` or `0.5s`, as protobuf writes a duration in JSON.
fn seconds(member: &Value) -> Option<Duration> {
    let seconds = member.as_str()?.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
