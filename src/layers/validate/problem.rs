use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use super::check::{Answered, Check};
use super::finding::Finding;
use super::media::essence;
use super::prefix::Prefix;
use super::status_field::text;
use crate::terms::Verdict;

/// Reads problems (RFC 9457) and the errors of JSON:API, and knows what a problem's type means.
///
/// ```
/// use outrigger::validate::{Problems, ValidateLayer, Verdict};
///
/// let problems = Problems::new().kind("https://bank.example/problems/busy", Verdict::Transient);
/// let layer = ValidateLayer::new().enforce(problems);
/// # let _ = layer;
/// ```
///
/// Where the check is enforced, every answer of the media type `application/problem+json` gets a [`Problem`] among
/// its extensions. A type
/// that isn't in the table changes nothing: the HTTP status says what the answer means, and the member
/// `status` is advice (RFC 9457, 3.1.2). The XML form is not read.
///
/// Where the HTTP status is a 2xx and the body is a failure all the same, the body counts: a problem whose
/// `status` is 400 or more; and a document of JSON:API, `application/vnd.api+json`, that has `errors` in
/// the place of `data` (JSON:API 1.1, *Top level*). Their statuses mean: 401 unauthorized, 429 throttled, 408
/// and 5xx transient, others permanent.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    kinds: Vec<(Cow<'static, str>, Verdict)>,
}

/// A problem (RFC 9457), an extension of its answer. Members of the wrong type are left out, as the RFC
/// says (3.1). `Debug` shows the status: the rest may be private.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// `type`: a URI; `about:blank` if there is none.
    pub kind: String,
    /// A summary of the type.
    pub title: Option<String>,
    /// The status that the provider says it answered with. The answer's own counts.
    pub status: Option<u16>,
    /// What went wrong this time.
    pub detail: Option<String>,
    /// A URI for this occurrence.
    pub instance: Option<String>,
    /// All other members.
    pub others: Map<String, Value>,
}

impl Problems {
    /// No type has a meaning of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a type means, whatever the status.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        self.kinds.push((kind.into(), verdict));
        self
    }
}

impl Problem {
    fn of(members: &Map<String, Value>) -> Self {
        let text = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let is_other = |name: &str| !MEMBERS.contains(&name);
        let others = members.iter().filter(|(name, _)| is_other(name));
        Self {
            kind: text("type").unwrap_or_else(|| "about:blank".to_owned()),
            title: text("title"),
            status: members
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|status| status.try_into().ok()),
            detail: text("detail"),
            instance: text("instance"),
            others: others.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

impl Check for Problems {
    fn name(&self) -> &'static str {
        "problem"
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        let (is_failed, is_success) = (answer.status.as_u16() >= 400, answer.status.is_success());
        essence(answer.headers).is_some_and(|essence| match () {
            () if essence.eq_ignore_ascii_case(PROBLEM) => is_failed || is_success,
            () => is_success && essence.eq_ignore_ascii_case(JSON_API),
        })
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        if let Err(unchecked) = body.whole() {
            return unchecked;
        }
        // What can't be read says nothing, and the status counts.
        let Some(members) = body.json().ok().and_then(Value::as_object) else {
            return Finding::pass();
        };
        if essence(answer.headers).is_some_and(|essence| essence.eq_ignore_ascii_case(JSON_API)) {
            return find_errors(members);
        }
        let problem = Problem::of(members);
        let known = self.kinds.iter().find(|(kind, _)| *kind == problem.kind);
        let finding = match known {
            Some((kind, verdict)) => Finding::of(*verdict, kind.clone()).at("/type"),
            None if answer.status.is_success() => {
                problem.status.map_or_else(Finding::pass, find_status).at("/status")
            }
            None => Finding::pass(),
        };
        Finding { problem: Some(Box::new(problem)), ..finding }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Errors in the place of data.
fn find_errors(members: &Map<String, Value>) -> Finding {
    let errors = members.get("errors").and_then(Value::as_array);
    let errors = errors.filter(|_| !members.contains_key("data"));
    let status = |error: &Value| text(error.get("status")?)?.parse().ok();
    let found = errors.into_iter().flatten().map(|error| match status(error) {
        Some(status) => find_status(status),
        None => Finding::permanent("an error without a status"),
    });
    Finding::of_several(found).at("/errors")
}

/// What a status in a body says.
fn find_status(status: u16) -> Finding {
    let verdict = match status {
        ..=399 => Verdict::Pass,
        401 => Verdict::Unauthorized,
        429 => Verdict::Throttled,
        408 | 500.. => Verdict::Transient,
        _ => Verdict::Permanent,
    };
    Finding::of(verdict, format!("its own status is {status}"))
}

const PROBLEM: &str = "application/problem+json";
const JSON_API: &str = "application/vnd.api+json";
const MEMBERS: [&str; 5] = ["type", "title", "status", "detail", "instance"];
