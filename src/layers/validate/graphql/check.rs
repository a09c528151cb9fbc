use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::super::check::{Answered, Check};
use super::super::finding::Finding;
use super::super::media::essence;
use super::super::prefix::Prefix;
use super::super::status_field::text;
use super::endpoint::Endpoint;
use crate::terms::Verdict;

/// Reads GraphQL's answers. See the [module](super).
#[derive(Clone, Debug)]
pub struct GraphQl {
    codes: Vec<(Cow<'static, str>, Verdict)>,
    user_errors: Vec<Cow<'static, str>>,
    pub(super) endpoint: Endpoint,
}

impl GraphQl {
    /// With the codes of the [table](super).
    #[must_use]
    pub fn new() -> Self {
        Self { codes: Vec::new(), user_errors: Vec::new(), endpoint: Endpoint::default() }
    }

    /// For Shopify: a mutation whose payload has `userErrors`, or `customerUserErrors`, was refused.
    #[must_use]
    pub fn shopify() -> Self {
        Self::new().user_errors("userErrors").user_errors("customerUserErrors")
    }

    /// The one path at which the provider speaks GraphQL: `/graphql`. Requests to its other paths are not
    /// marked, and their answers not read. By default, each request of the integration is GraphQL's.
    ///
    /// It is compared with the whole path of the request's URI, letter by letter, without host and query:
    /// `/graphql/` is another one.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.endpoint.path = Some(path.into());
        self
    }

    /// The hashes of persisted documents that only read: a POST that names one by its hash, and has no
    /// document, is [safe](super#requests). By default none is known.
    #[must_use]
    pub fn persisted_queries(
        mut self,
        hashes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.endpoint.persisted.extend(hashes.into_iter().map(Into::into));
        self
    }

    /// What an error's code means, before the table.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>, verdict: Verdict) -> Self {
        self.codes.push((code.into(), verdict));
        self
    }

    /// A member of a mutation's payload that lists what the business refused: where it isn't empty, the
    /// answer is [`Verdict::Permanent`].
    #[must_use]
    pub fn user_errors(mut self, member: impl Into<Cow<'static, str>>) -> Self {
        self.user_errors.push(member.into());
        self
    }

    /// Of one result.
    pub(in super::super) fn find(&self, answer: &Answered<'_>, json: &Value) -> Finding {
        let Some(members) = json.as_object() else { return Finding::invalid("it is no object") };
        let data = members.get("data");
        let errors: &[Value] = match members.get("errors") {
            // By the specification (7.1.2) there is none if there are no errors.
            None | Some(Value::Null) => &[],
            Some(Value::Array(errors)) => errors,
            Some(_) => return Finding::invalid("it is no list of errors").at("/errors"),
        };
        match (data, errors) {
            (Some(Value::Null) | None, []) => find_limit(json),
            (Some(data), []) => self.find_refusal(data),
            (None, errors) => {
                let unnamed = match answer.status.as_u16() {
                    // The request was not run: it is wrong.
                    200..=299 | 400 | 422 => Finding::permanent("an error without a code"),
                    // The status says more.
                    _ => Finding::pass(),
                };
                Finding { carried_out: Some(false), ..self.find_worst(json, &unnamed, errors) }
            }
            // It was run, and failed in the provider's code.
            (Some(Value::Null), errors) => {
                let unnamed = Finding::transient("an error without a code");
                Finding { carried_out: Some(true), ..self.find_worst(json, &unnamed, errors) }
            }
            (Some(data), errors) => {
                let partial = Finding::partial("it has data and errors").at("/errors");
                let worst = match is_of_nothing(data) {
                    true => self.find_worst(json, &partial, errors),
                    false => partial.clone(),
                };
                match worst.verdict {
                    // Nothing of what was asked for is there, and for a reason that may pass.
                    Verdict::Transient | Verdict::Throttled | Verdict::Unauthorized => {
                        Finding { carried_out: Some(true), ..worst }
                    }
                    _ => partial,
                }
            }
        }
    }

    /// What the business refused.
    fn find_refusal(&self, data: &Value) -> Finding {
        let payloads = || data.as_object().into_iter().flat_map(serde_json::Map::values);
        let is_refused = |member: &&Cow<'static, str>| {
            let errors = |payload: &Value| {
                let errors = payload.get(&***member).and_then(Value::as_array);
                errors.is_some_and(|errors| !errors.is_empty())
            };
            payloads().any(errors)
        };
        match self.user_errors.iter().find(is_refused) {
            Some(member) => Finding::permanent(member.clone()).at("/data"),
            None => Finding::pass(),
        }
    }

    /// The worst of the errors: what can't succeed doesn't because another part of it may.
    fn find_worst(&self, json: &Value, unnamed: &Finding, errors: &[Value]) -> Finding {
        let found = errors.iter().enumerate().map(|(at, error)| {
            let finding = match code_of(error) {
                None => find_sentence(error).unwrap_or_else(|| unnamed.clone()),
                Some(code) => self.find_code(&code).unwrap_or_else(|| match unnamed.verdict {
                    Verdict::Pass | Verdict::Partial => unnamed.clone(),
                    // The provider names a reason of its own: an application's errors are refusals.
                    _ => Finding::permanent("a code that is not in the table"),
                }),
            };
            (finding, at)
        });
        // Of equal ones, the first.
        let worst = found.rev().max_by_key(|(finding, _)| finding.verdict.severity());
        let Some((finding, at)) = worst else { return unnamed.clone() };
        let is_throttled = finding.verdict == Verdict::Throttled;
        let wait = || shopify_wait(json).or_else(|| monday_wait(&errors[at]));
        let wait = is_throttled.then(wait).flatten();
        Finding { wait, ..finding.at(format!("/errors/{at}")) }
    }

    fn find_code(&self, code: &str) -> Option<Finding> {
        if let Some((known, verdict)) = self.codes.iter().find(|(known, _)| *known == code) {
            return Some(Finding::of(*verdict, known.clone()));
        }
        if let Some((known, verdict)) = CODES.iter().find(|(known, _)| *known == code) {
            return Some(Finding::of(*verdict, *known));
        }
        code.contains("TIMEOUT").then(|| Finding::transient("a timeout"))
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
        self.endpoint.has(answer.uri)
            && (answer.status == 200 || essence(answer.headers).is_some_and(is_its_own))
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        match body.json() {
            // A batch.
            Ok(Value::Array(results)) if !results.is_empty() => {
                Finding::of_several(results.iter().map(|result| self.find(answer, result)))
            }
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

/// GitHub's secondary limit is answered with a 200, too, and with REST's body (*Rate limits and query limits
/// for the GraphQL API*).
fn find_limit(json: &Value) -> Finding {
    let message = json.get("message").and_then(Value::as_str);
    match message.is_some_and(|message| message.contains("rate limit")) {
        true => Finding::throttled(None, "rate limit").at("/message"),
        false => Finding::invalid("it has neither data nor errors"),
    }
}

/// What servers without codes write where they failed.
fn find_sentence(error: &Value) -> Option<Finding> {
    let message = error.get("message")?.as_str()?;
    let known = SENTENCES.iter().find(|sentence| message.contains(**sentence))?;
    Some(Finding::transient(*known))
}

/// Whether all that was asked for is null.
fn is_of_nothing(data: &Value) -> bool {
    data.as_object().is_some_and(|fields| fields.values().all(Value::is_null))
}

/// How long until the query's cost is there again, as Shopify counts (*GraphQL Admin API rate limits*).
fn shopify_wait(json: &Value) -> Option<Duration> {
    let number = |path| json.pointer(path).and_then(Value::as_f64);
    let cost = number("/extensions/cost/requestedQueryCost")?;
    let here = number("/extensions/cost/throttleStatus/currentlyAvailable")?;
    let rate = number("/extensions/cost/throttleStatus/restoreRate").filter(|rate| *rate > 0.0)?;
    Duration::try_from_secs_f64((cost - here).max(0.0) / rate).ok()
}

/// monday.com says it of the error itself (*Changelog*, complexity budget exhausted).
fn monday_wait(error: &Value) -> Option<Duration> {
    let seconds = error.pointer("/extensions/retry_in_seconds")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

pub(super) const MEDIA: &str = "application/graphql-response+json";
/// GitHub's, where a query took too long; graphql-js and others.
const SENTENCES: [&str; 4] = [
    "Something went wrong while executing",
    "nternal server error",
    "nternal Server Error",
    "imed out",
];
/// Apollo Server (*Error handling*), Apollo Router (*Errors*), GitHub and Shopify (*GraphQL error codes*), Linear
/// (*Rate limiting*), monday.com (*Rate limits*), Hasura (*Error codes*). GitHub answers with `RATE_LIMITED`,
/// and with `RATE_LIMIT` (cli/cli, issue 12812).
const CODES: [(&str, Verdict); 27] = [
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
    ("RATE_LIMIT", Verdict::Throttled),
    ("RATE_LIMIT_EXCEEDED", Verdict::Throttled),
    ("IP_RATE_LIMIT_EXCEEDED", Verdict::Throttled),
    ("DAILY_LIMIT_EXCEEDED", Verdict::Throttled),
    ("maxConcurrencyExceeded", Verdict::Throttled),
    ("REQUEST_RATE_LIMITED", Verdict::Throttled),
    ("TOO_MANY_REQUESTS", Verdict::Throttled),
    ("COMPLEXITY_BUDGET_EXHAUSTED", Verdict::Throttled),
    ("SUBREQUEST_HTTP_ERROR", Verdict::Transient),
    ("unexpected", Verdict::Transient),
    ("invalid-jwt", Verdict::Unauthorized),
];
