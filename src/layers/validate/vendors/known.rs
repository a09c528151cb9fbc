//! The table of providers. Each row's source is in the documentation of [`Vendors`](super::Vendors).

use serde_json::Value;

use super::super::finding::Finding;
use super::super::path::{at, find};
use super::super::status_field::text;
use super::codes::{
    AWS_THROTTLED, AWS_TRANSIENT, AWS_UNAUTHORIZED, DINGTALK_THROTTLED, LARK_UNAUTHORIZED,
    MANDRILL_PERMANENT, META_THROTTLED,
};
use super::row::seconds;
use crate::terms::Verdict::{self, Partial, Permanent, Throttled, Transient, Unauthorized};

/// What one provider writes at one place.
pub(super) struct Known {
    pub(super) statuses: &'static [u16],
    at: &'static str,
    says: Says,
    verdict: Verdict,
    /// A member that must be there, too: a code that is a mere number says little.
    beside: Option<&'static str>,
}

enum Says {
    /// One of these codes.
    OneOf(&'static [&'static str]),
    /// Any code but this one, which says that all is well.
    AllBut(&'static str),
    /// A sentence with one of these in it.
    Sentence(&'static [&'static str]),
    /// How long to wait.
    Wait,
    /// An object, whatever is in it.
    Object,
}

impl Known {
    const fn codes(
        statuses: &'static [u16],
        at: &'static str,
        codes: &'static [&'static str],
        verdict: Verdict,
    ) -> Self {
        Self { statuses, at, says: Says::OneOf(codes), verdict, beside: None }
    }

    const fn all_but(
        statuses: &'static [u16],
        at: &'static str,
        well: &'static str,
        verdict: Verdict,
    ) -> Self {
        Self { statuses, at, says: Says::AllBut(well), verdict, beside: None }
    }

    const fn sentence(
        statuses: &'static [u16],
        at: &'static str,
        parts: &'static [&'static str],
        verdict: Verdict,
    ) -> Self {
        Self { statuses, at, says: Says::Sentence(parts), verdict, beside: None }
    }

    const fn wait(statuses: &'static [u16], at: &'static str) -> Self {
        Self { statuses, at, says: Says::Wait, verdict: Throttled, beside: None }
    }

    const fn object(statuses: &'static [u16], at: &'static str, verdict: Verdict) -> Self {
        Self { statuses, at, says: Says::Object, verdict, beside: None }
    }

    const fn beside(self, member: &'static str) -> Self {
        Self { beside: Some(member), ..self }
    }

    /// What it says of an answer; a failed one that is a list is read item by item.
    pub(super) fn find(&self, status: u16, json: &Value) -> Option<Finding> {
        match json {
            Value::Array(items) if status >= 400 => {
                items.iter().take(MOST_ITEMS).find_map(|item| self.find_in(item))
            }
            whole => self.find_in(whole),
        }
    }

    fn find_in(&self, json: &Value) -> Option<Finding> {
        if self.beside.is_some_and(|member| at(json, member).is_none()) {
            return None;
        }
        match self.says {
            Says::OneOf(codes) => {
                let known = |member: &Value| {
                    let code = match member {
                        Value::Bool(is) => is.to_string().into(),
                        other => text(other)?,
                    };
                    // A shape of AWS may have its service's name before it.
                    let code = code.rsplit('#').next()?;
                    codes.iter().find(|known| **known == code)
                };
                let code = known(find(json, self.at, &mut |member| known(member).is_some())?)?;
                Some(Finding::of(self.verdict, *code).at(self.at))
            }
            Says::AllBut(well) => {
                let is_other = |member: &Value| text(member).is_some_and(|code| code != well);
                find(json, self.at, &mut |member| is_other(member))?;
                Some(Finding::of(self.verdict, "a code of a failure").at(self.at))
            }
            Says::Sentence(parts) => {
                let known = |member: &Value| {
                    let text = member.as_str()?;
                    parts.iter().find(|part| text.contains(**part))
                };
                let part = known(find(json, self.at, &mut |member| known(member).is_some())?)?;
                Some(Finding::of(self.verdict, *part).at(self.at))
            }
            Says::Object => {
                find(json, self.at, &mut |member| member.is_object())?;
                Some(Finding::of(self.verdict, "there is an error").at(self.at))
            }
            Says::Wait => {
                let member = find(json, self.at, &mut |member| seconds(member).is_some())?;
                Some(Finding::throttled(seconds(member), "it says how long to wait").at(self.at))
            }
        }
    }
}

/// A failed answer has few errors, and the first says what happened.
const MOST_ITEMS: usize = 10;
const LIMITS: &[u16] = &[403, 429];
/// The first row that fits counts: money before time, and a wait that is said before one that isn't.
pub(super) const TABLE: &[Known] = &[
    Known::codes(&[429], "/error/code", &["insufficient_quota"], Permanent),
    Known::codes(&[429], "/error/type", &["insufficient_quota"], Permanent),
    Known::codes(&[429], "/error/code", &["lock_timeout"], Transient),
    Known::wait(&[429, 503], "/error/details/*/retryDelay"),
    Known::wait(&[429], "/parameters/retry_after"),
    Known::wait(&[429], "/retry_after").beside("/global"),
    Known::codes(
        LIMITS,
        "/error/errors/*/reason",
        &[
            "concurrentLimitExceeded",
            "dailyLimitExceeded",
            "jobRateLimitExceeded",
            "quotaExceeded",
            "rateLimitExceeded",
            "servingLimitExceeded",
            "sharingRateLimitExceeded",
            "userRateLimitExceeded",
        ],
        Throttled,
    ),
    Known::codes(LIMITS, "/error/details/*/reason", &["RATE_LIMIT_EXCEEDED"], Throttled),
    Known::codes(LIMITS, "/error/status", &["RESOURCE_EXHAUSTED"], Throttled),
    Known::codes(&[400], "/error/details/*/reason", &["API_KEY_INVALID"], Unauthorized),
    Known::codes(&[400], "/error/errors/*/reason", &["keyInvalid"], Unauthorized),
    Known::codes(
        &[400],
        "/error/errors/*/reason",
        &["jobBackendError", "jobInternalError", "tableUnavailable"],
        Transient,
    ),
    Known::codes(&[200], "/status", &["OVER_QUERY_LIMIT"], Throttled),
    Known::codes(&[200], "/status", &["UNKNOWN_ERROR"], Transient).beside("/results"),
    Known::codes(
        &[200],
        "/status",
        &["REQUEST_DENIED", "OVER_DAILY_LIMIT", "INVALID_REQUEST"],
        Permanent,
    )
    .beside("/error_message"),
    // JSON-RPC 2.0, and its codes of Ethereum.
    Known::codes(&[200], "/error/code", &["-32005"], Throttled).beside("/jsonrpc"),
    Known::codes(&[200], "/error/code", &["-32603"], Transient).beside("/jsonrpc"),
    Known::object(&[200], "/error", Permanent).beside("/jsonrpc"),
    Known::codes(&[200], CODE_OF_AUTHORIZE, &["E00001", "E00053", "E00104"], Transient)
        .beside(AUTHORIZE),
    Known::codes(&[200], CODE_OF_AUTHORIZE, &["E00005", "E00006", "E00007"], Unauthorized)
        .beside(AUTHORIZE),
    Known::codes(&[200], AUTHORIZE, &["Error"], Permanent).beside("/messages/message"),
    Known::codes(&[200], "/messages/*/status", &["1", "10"], Throttled).beside("/message-count"),
    Known::codes(&[200], "/messages/*/status", &["4"], Unauthorized).beside("/message-count"),
    Known::codes(&[200], "/messages/*/status", &["5"], Transient).beside("/message-count"),
    Known::all_but(&[200], "/messages/*/status", "0", Permanent).beside("/message-count"),
    Known::codes(&[200], "/sub_code", DINGTALK_THROTTLED, Throttled).beside("/errcode"),
    Known::codes(&[200], "/sub_code", &["40014"], Unauthorized).beside("/errcode"),
    Known::codes(&[200], "/errcode", &["45009", "45011", "45033"], Throttled).beside("/errmsg"),
    Known::codes(&[200], "/errcode", &["-1"], Transient).beside("/errmsg"),
    Known::codes(&[200], "/errcode", &["40001", "40014", "41001", "42001"], Unauthorized)
        .beside("/errmsg"),
    Known::all_but(&[200], "/errcode", "0", Permanent).beside("/errmsg"),
    Known::codes(&[200, 400], "/code", &["99991400"], Throttled).beside("/msg"),
    Known::codes(&[200, 400], "/code", LARK_UNAUTHORIZED, Unauthorized).beside("/msg"),
    Known::codes(&[200], "/error", &["29"], Throttled).beside("/message"),
    Known::codes(&[200], "/error", &["8", "11", "16"], Transient).beside("/message"),
    Known::codes(&[200], "/error", &["9", "10"], Unauthorized).beside("/message"),
    Known::wait(&[200], "/json/ratelimit").beside("/json/errors/0"),
    Known::codes(&[200], "/json/errors/*/0", &["RATELIMIT"], Throttled),
    Known::codes(&[200], "/errors/*/type", &["RATE_LIMITED", "RATE_LIMIT"], Throttled),
    Known::codes(&[200], "/error_code", &["ComplexityException"], Throttled),
    Known::codes(&[200], "/errors", &["true"], Partial).beside("/items"),
    Known::sentence(&[200], "/result", &["rate limit reached"], Throttled).beside("/status"),
    Known::sentence(&[200], "/result", &["Invalid API Key", "invalid api key"], Unauthorized)
        .beside("/status"),
    Known::codes(&[200], "/message", &["NOTOK"], Permanent).beside("/result"),
    Known::sentence(
        &[200],
        "/Information",
        &["API rate limit", "free API requests more sparingly", "Burst pattern detected"],
        Throttled,
    ),
    Known::sentence(&[200], "/Information", &["This is a premium endpoint"], Permanent),
    Known::sentence(
        &[200],
        "/Note",
        &["API call frequency", "free API requests more sparingly"],
        Throttled,
    ),
    Known::sentence(&[200], "/Error Message", &["apikey is invalid or missing"], Unauthorized),
    Known::sentence(&[200], "/Error Message", &["Invalid API call"], Permanent),
    Known::sentence(
        LIMITS,
        "/message",
        &["secondary rate limit", "API rate limit exceeded", "abuse detection mechanism"],
        Throttled,
    ),
    Known::codes(&[403], "/errorCode", &["REQUEST_LIMIT_EXCEEDED"], Throttled),
    Known::codes(&[400], "/errorCode", &["UNABLE_TO_LOCK_ROW"], Transient),
    Known::codes(
        &[400, 403],
        "/errors/*/extensions/code",
        &["RATELIMITED", "RATE_LIMITED", "THROTTLED"],
        Throttled,
    ),
    Known::codes(&[409, 422], "/errorCode", &["704"], Transient),
    Known::codes(&[409], "/error", &["DatabaseConflict"], Transient),
    Known::sentence(&[401], "/errors/*/message", &["Maximum credits exceeded"], Permanent),
    Known::codes(&[500], "/name", &["Invalid_Key"], Unauthorized).beside("/code"),
    Known::codes(&[500], "/name", MANDRILL_PERMANENT, Permanent).beside("/code"),
    Known::codes(META, "/error/code", META_THROTTLED, Throttled).beside("/error/fbtrace_id"),
    Known::codes(META, "/error/code", &["1", "2"], Transient).beside("/error/fbtrace_id"),
    Known::codes(META, "/error/code", &["102", "190"], Unauthorized).beside("/error/fbtrace_id"),
    Known::codes(META, "/error/is_transient", &["true"], Transient).beside("/error/fbtrace_id"),
    Known::codes(&[400], "/__type", AWS_THROTTLED, Throttled),
    Known::codes(&[400], "/__type", AWS_TRANSIENT, Transient),
    Known::codes(&[400, 403], "/__type", AWS_UNAUTHORIZED, Unauthorized),
    // Where the code is in a header, the body has this sentence alone.
    Known::sentence(
        &[403],
        "/message",
        &["The security token included in the request is"],
        Unauthorized,
    ),
];
const AUTHORIZE: &str = "/messages/resultCode";
const CODE_OF_AUTHORIZE: &str = "/messages/message/*/code";
const META: &[u16] = &[400, 403];
