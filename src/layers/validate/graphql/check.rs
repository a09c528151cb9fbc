use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::super::check::{Answered, Check};
use super::super::finding::Finding;
use super::super::media::essence;
use super::super::prefix::Prefix;
use super::super::status_field::text;
use crate::terms::Verdict;

/// Reads GraphQL's answers. See the [module](super).
#[derive(Clone, Debug)]
pub struct GraphQl {
    codes: Vec<(Cow<'static, str>, Verdict)>,
    user_errors: Option<Cow<'static, str>>,
}

impl GraphQl {
    /// With the codes of the [table](super).
    #[must_use]
    pub fn new() -> Self {
        Self { codes: Vec::new(), user_errors: None }
    }

    /// For Shopify: a mutation whose payload has `userErrors` was refused.
    #[must_use]
    pub fn shopify() -> Self {
        Self::new().user_errors("userErrors")
    }

    /// What an error's code means, before the table.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        self.codes.push((code.into(), verdict));
        self
    }

    /// The member of a mutation's payload that lists what the business refused: where it isn't empty, the
    /// answer is [`Verdict::Permanent`].
    #[must_use]
    pub fn user_errors(mut self, member: impl Into<Cow<'static, str>>) -> Self {
        self.user_errors = Some(member.into());
        self
    }

    fn find(&self, answer: &Answered<'_>, json: &Value) -> Finding {
        let Some(members) = json.as_object() else { return Finding::invalid("it is no object") };
        let (data, errors) = (members.get("data"), members.get("errors"));
        let errors: &[Value] = match errors {
            None => &[],
            Some(Value::Array(errors)) if !errors.is_empty() => errors,
            // 7.1.2: if there is one, it is a list with at least one error.
            Some(_) => return Finding::invalid("it is no list of errors").at("/errors"),
        };
        match (data, errors) {
            (None, []) => Finding::invalid("it has neither data nor errors"),
            (Some(data), []) => self.find_refusal(data),
            (Some(Value::Null) | None, errors) => {
                self.find_worst(answer, json, data.is_some(), errors)
            }
            (Some(_), _) => Finding::partial("it has data and errors").at("/errors"),
        }
    }

    /// What the business refused.
    fn find_refusal(&self, data: &Value) -> Finding {
        let (Some(member), Some(fields)) = (&self.user_errors, data.as_object()) else {
            return Finding::pass();
        };
        let is_refused = |payload: &Value| {
            payload
                .get(&**member)
                .and_then(Value::as_array)
                .is_some_and(|errors| !errors.is_empty())
        };
        match fields.values().any(is_refused) {
            true => Finding::permanent(member.clone()).at("/data"),
            false => Finding::pass(),
        }
    }

    /// The worst of the errors: what can't succeed doesn't because another part of it may.
    fn find_worst(
        &self,
        answer: &Answered<'_>,
        json: &Value,
        was_run: bool,
        errors: &[Value],
    ) -> Finding {
        // A request that was not run is wrong, unless the server says that it is its fault; one that was
        // run failed in the provider's code.
        let unnamed = if was_run || answer.status.is_server_error() {
            Finding::transient("an error without a code")
        } else {
            Finding::permanent("an error without a code")
        };
        let found = errors.iter().enumerate().map(|(at, error)| {
            let finding = match code_of(error) {
                None => unnamed.clone(),
                Some(code) => self.find_code(&code),
            };
            (finding, at)
        });
        // Of equal ones, the first.
        let worst = found.rev().max_by_key(|(finding, _)| finding.verdict.severity());
        let Some((finding, at)) = worst else { return unnamed };
        let wait = if finding.verdict == Verdict::Throttled { shopify_wait(json) } else { None };
        Finding { wait, ..finding.at(format!("/errors/{at}")) }
    }

    fn find_code(&self, code: &str) -> Finding {
        if let Some((known, verdict)) = self.codes.iter().find(|(known, _)| *known == code) {
            return Finding::of(*verdict, known.clone());
        }
        if let Some((known, verdict)) = CODES.iter().find(|(known, _)| *known == code) {
            return Finding::of(*verdict, *known);
        }
        match code.contains("TIMEOUT") {
            true => Finding::transient("a timeout"),
            // The provider names a reason of its own: an application's errors are refusals.
            false => Finding::permanent("a code that is not in the table"),
        }
    }
}

impl Default for GraphQl {
    fn default() -> Self {
        Self::new()
    }
}

impl Check for GraphQl {
    fn name(&self) -> &'static str {
        "graphql"
    }

    /// By the media type, the body speaks whatever the status is; any other may be of somebody between,
    /// and is asked at a 200 only (GraphQL over HTTP, 6.4).
    fn applies(&self, answer: &Answered<'_>) -> bool {
        let is_its_own = |essence: &str| essence.eq_ignore_ascii_case(MEDIA);
        answer.status == 200 || essence(answer.headers).is_some_and(is_its_own)
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        match body.json() {
            Ok(json) => self.find(answer, json),
            // The status says what happened.
            Err(finding)
                if finding.verdict == Verdict::Transient && !answer.status.is_success() =>
            {
                Finding::pass()
            }
            Err(finding) => finding,
        }
    }
}

/// An error's code: `extensions.code`, or GitHub's `type`.
fn code_of(error: &Value) -> Option<Cow<'_, str>> {
    let code = error.pointer("/extensions/code").or_else(|| error.get("type"));
    code.and_then(text)
}

/// How long until the query's cost is there again, as Shopify counts (*GraphQL Admin API rate limits*).
fn shopify_wait(json: &Value) -> Option<Duration> {
    let number = |path| json.pointer(path).and_then(Value::as_f64);
    let cost = number("/extensions/cost/requestedQueryCost")?;
    let here = number("/extensions/cost/throttleStatus/currentlyAvailable")?;
    let rate = number("/extensions/cost/throttleStatus/restoreRate").filter(|rate| *rate > 0.0)?;
    Duration::try_from_secs_f64((cost - here).max(0.0) / rate).ok()
}

pub(super) const MEDIA: &str = "application/graphql-response+json";
/// Apollo Server (*Error handling*), GitHub and Shopify (*GraphQL error codes*), Linear (*Rate limiting*).
const CODES: [(&str, Verdict); 16] = [
    ("UNAUTHENTICATED", Verdict::Unauthorized),
    ("FORBIDDEN", Verdict::Permanent),
    ("ACCESS_DENIED", Verdict::Permanent),
    ("BAD_USER_INPUT", Verdict::Permanent),
    ("BAD_REQUEST", Verdict::Permanent),
    ("GRAPHQL_PARSE_FAILED", Verdict::Permanent),
    ("GRAPHQL_VALIDATION_FAILED", Verdict::Permanent),
    ("OPERATION_RESOLUTION_FAILURE", Verdict::Permanent),
    ("PERSISTED_QUERY_NOT_FOUND", Verdict::Permanent),
    ("MAX_COST_EXCEEDED", Verdict::Permanent),
    ("NOT_FOUND", Verdict::Permanent),
    ("INTERNAL_SERVER_ERROR", Verdict::Transient),
    ("SERVICE_UNAVAILABLE", Verdict::Transient),
    ("THROTTLED", Verdict::Throttled),
    ("RATE_LIMITED", Verdict::Throttled),
    ("RATELIMITED", Verdict::Throttled),
];
