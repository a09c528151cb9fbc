use http::HeaderMap;
use serde_json::Value;

use super::super::check::{Answered, Check};
use super::super::finding::Finding;
use super::super::graphql::GraphQl;
use super::super::media::essence;
use super::super::path::at;
use super::super::prefix::Prefix;
use super::super::status_field::StatusField;
use super::super::xml::looks_like_xml;
use super::known::TABLE;
use super::row::Row;
use super::xml_codes;

/// What well-known providers say in the bodies of answers whose status is ambiguous.
///
/// | status | in the body | of | verdict |
/// |---|---|---|---|
/// | 403, 429 | `/error/errors/*/reason`: `rateLimitExceeded`, `userRateLimitExceeded`, `quotaExceeded` and other limits | Google (*Resolve errors*, Drive, Gmail, Calendar; *Error messages*, BigQuery) | throttled |
/// | 403, 429 | `/error/status`: `RESOURCE_EXHAUSTED`; `/error/details/*/reason`: `RATE_LIMIT_EXCEEDED` | Google (AIP-193) | throttled |
/// | 429, 503 | `/error/details/*/retryDelay`: `58s` | Google, Gemini (`google.rpc.RetryInfo`) | throttled, for that time |
/// | 400 | `/error/details/*/reason`: `API_KEY_INVALID`; `/error/errors/*/reason`: `keyInvalid` | Google, Gemini | unauthorized |
/// | 400 | `/error/errors/*/reason`: `jobBackendError`, `jobInternalError`, `tableUnavailable` | BigQuery (*Error messages*) | transient |
/// | 200 | `/status`: `OVER_QUERY_LIMIT` | Google Maps (*Geocoding requests and responses*) | throttled |
/// | 200 | `/status`: `UNKNOWN_ERROR`, beside `results` | Google Maps | transient |
/// | 200 | `/status`: `REQUEST_DENIED`, `OVER_DAILY_LIMIT`, `INVALID_REQUEST`, beside `error_message` | Google Maps | permanent |
/// | 403, 429 | `/message` has `secondary rate limit` (or the body is that sentence alone), `API rate limit exceeded`, `abuse detection mechanism` | GitHub (*Rate limits for the REST API*) | throttled |
/// | 403 | `/errorCode`: `REQUEST_LIMIT_EXCEEDED` | Salesforce (*Status codes and error responses*) | throttled |
/// | 400 | `/errorCode`: `UNABLE_TO_LOCK_ROW` | Salesforce | transient |
/// | 429 | `/error/code`, `/error/type`: `insufficient_quota` | OpenAI (*Error codes*) | permanent: money, not time, is missing |
/// | 429 | `/error/code`: `lock_timeout` | Stripe (*Error codes*) | transient: one object is locked |
/// | 200 | `/ok` is false, and `/error` a code | Slack | as [`StatusField::slack`] says |
/// | 200 | nothing but `data`, `errors` with a code, and `extensions` | Shopify and others' GraphQL | as [`GraphQl::shopify`] says |
/// | 400, 403 | `/errors/*/extensions/code`: `RATELIMITED`, `RATE_LIMITED`, `THROTTLED` | Linear (*Rate limiting*) | throttled |
/// | 409, 422 | `/errorCode`: `704` | Adyen (*API idempotency*) | transient: the first request still runs |
/// | 409 | `/error`: `DatabaseConflict` | Zendesk (its page was not found) | transient |
/// | 401 | `/errors/*/message` has `Maximum credits exceeded` | SendGrid | permanent: money |
/// | 500 | `/name`: `Invalid_Key`; `ValidationError`, `PaymentRequired` and the like | Mailchimp Transactional (the names that its clients know) | unauthorized; permanent |
/// | 400, 403 | `/error/code`, beside `fbtrace_id`: 4, 17, 32, 341, 613, 80000 to 80008, 80014, 130429, 131048, 131056; 1, 2, and `is_transient`; 102, 190 | Meta, WhatsApp (*Handling errors*, *Rate limits*, *WhatsApp error codes*) | throttled; transient; unauthorized |
/// | 429 | `/parameters/retry_after`; `/retry_after` beside `global`: seconds | Telegram, Discord | throttled, for that time |
/// | 200 | `/error` of an answer with `jsonrpc`; its code -32005; -32603 | JSON-RPC 2.0; EIP-1474 | permanent; throttled; transient |
/// | 200 | `/messages/resultCode`: `Error`; code `E00001`, `E00053`, `E00104`; `E00005` to `E00007` | Authorize.Net (*Response codes*) | permanent; transient; unauthorized |
/// | 200 | `/messages/*/status`, beside `message-count`: 1, 10; 4; 5; any other but 0 | Vonage (*SMS API errors*) | throttled; unauthorized; transient; permanent |
/// | 200 | `/errcode`, beside `errmsg`: 45009, 45011, 45033; -1; 40001, 40014, 41001, 42001; any other but 0 | WeChat, WeCom, DingTalk (*Global return codes*) | throttled; transient; unauthorized; permanent |
/// | 200 | `/sub_code`, beside `errcode`: 90001 to 90007; 40014 | DingTalk | throttled; unauthorized |
/// | 200, 400 | `/code`, beside `msg`: 99991400; 99991661, 99991663, 99991664, 99991668, 99991671, 99991677 | Lark (*Rate limits*, *Generic error codes*) | throttled; unauthorized |
/// | 200 | `/error`, beside `message`: 29; 8, 11, 16; 9, 10 | Last.fm (*Error codes*) | throttled; transient; unauthorized |
/// | 200 | `/json/errors/*/0`: `RATELIMIT`; `/error_code`: `ComplexityException` | Reddit, for the time of `/json/ratelimit`; monday.com | throttled |
/// | 200 | `/errors/*/type`: `RATE_LIMITED`, `RATE_LIMIT` | GitHub's GraphQL | throttled |
/// | 200 | `/result`, beside `status`, has `rate limit reached`; `Invalid API Key`; `/message`: `NOTOK` | Etherscan (*Common error messages*) | throttled; unauthorized; permanent |
/// | 200 | `/Information` or `/Note` has `API rate limit`, `API call frequency`, `Burst pattern detected` and the like; `/Error Message` has `apikey is invalid or missing`; `Invalid API call`, or `/Information` has `premium endpoint` | Alpha Vantage (as its clients meet it) | throttled; unauthorized; permanent |
/// | 200 | `/errors`: true, beside `items` | Elasticsearch (*Bulk API*) | partial |
/// | 400, 403 | `/__type`: `ThrottlingException`, `ExpiredTokenException` … | AWS (*Retry behavior*, *Common error types*) | throttled, transient, unauthorized |
/// | 403 | `/message` has `The security token included in the request is` | AWS, where the code is in a header (*Common error types*) | unauthorized |
/// | 200, 400, 403, 409, 500, 503 | XML `<Error><Code>`: `SlowDown`, `InternalError`, `ExpiredToken` … | Amazon S3 (*CompleteMultipartUpload*, *Error responses*), SQS, EC2 | the same; others are permanent, at a 200 to what writes |
/// | 200, 400, 500 | XML `<Fault>`: `Server`, `Receiver`; `Client`, `Sender` …; `FailedAuthentication`, `InvalidSecurityToken` | SOAP 1.1 and 1.2; WS-Security; Salesforce's codes | transient; permanent; unauthorized |
///
/// A failed answer that is a list is read item by item: so do Salesforce and Gemini's streams answer. Rows of
/// your own are [added](Self::row), and are asked first. An answer that no row fits means what its status
/// says.
#[derive(Clone, Debug, Default)]
pub struct Vendors {
    rows: Vec<Row>,
}

impl Vendors {
    /// The table above.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row before the others.
    #[must_use]
    pub fn row(mut self, row: Row) -> Self {
        self.rows.insert(0, row);
        self
    }
}

impl Check for Vendors {
    fn name(&self) -> &'static str {
        "vendors"
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        let status = answer.status.as_u16();
        is_known(status) || self.rows.iter().any(|row| row.status == status)
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let bytes = match body.whole() {
            Ok(bytes) => bytes,
            Err(unchecked) => return unchecked,
        };
        let status = answer.status.as_u16();
        let mut own = self.rows.iter().filter(|row| row.status == status);
        let of_table = || match is_xml(answer.headers, bytes) {
            true => xml_codes::find(answer, std::str::from_utf8(bytes).ok()?),
            false => find_in_json(answer, body.json().ok()?),
        };
        let found = own.find_map(|row| row.find(body)).or_else(of_table);
        found.or_else(|| find_limit_in_text(status, bytes)).unwrap_or_else(Finding::pass)
    }
}

/// Whether a body is XML, and its media type doesn't say something else.
fn is_xml(headers: &HeaderMap, bytes: &[u8]) -> bool {
    let is_of_xml = |essence: &str| essence.to_ascii_lowercase().contains("xml");
    looks_like_xml(bytes) && essence(headers).is_none_or(is_of_xml)
}

fn is_known(status: u16) -> bool {
    xml_codes::STATUSES.contains(&status) || TABLE.iter().any(|row| row.statuses.contains(&status))
}

/// GitHub's words, where no JSON is around them.
fn find_limit_in_text(status: u16, bytes: &[u8]) -> Option<Finding> {
    let is_there = || String::from_utf8_lossy(bytes).contains(SECONDARY_LIMIT);
    let is_limit = matches!(status, 403 | 429) && is_there();
    is_limit.then(|| Finding::throttled(None, "secondary rate limit"))
}

fn find_in_json(answer: &Answered<'_>, json: &Value) -> Option<Finding> {
    let status = answer.status.as_u16();
    if status == 200 && is_refused_by_slack(json) {
        return Some(StatusField::slack().find(json));
    }
    if status == 200 && is_failed_graphql(json) {
        return Some(GraphQl::shopify().find(answer, json));
    }
    let mut rows = TABLE.iter().filter(|row| row.statuses.contains(&status));
    rows.find_map(|row| row.find(status, json))
}

/// Nothing but the members of an answer of GraphQL, and an error with a code.
fn is_failed_graphql(json: &Value) -> bool {
    let is_its_own = |name: &String| ["data", "errors", "extensions"].contains(&name.as_str());
    json.as_object().is_some_and(|members| members.keys().all(is_its_own))
        && at(json, "/errors/0/extensions/code").is_some()
}

fn is_refused_by_slack(json: &Value) -> bool {
    json.get("ok") == Some(&Value::Bool(false)) && json.get("error").is_some_and(Value::is_string)
}

const SECONDARY_LIMIT: &str = "You have exceeded a secondary rate limit";
