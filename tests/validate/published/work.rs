//! Source code, customers, tickets, chat.

use outrigger::validate::StatusField;

use super::{Fine, JSON, Later, Limit, Login, Refused, Row, Wrong, XML, each_means, vendors};
use crate::bench::enforced;

#[rustfmt::skip]
pub(super) const GITHUB: &[Row] = &[
    ("GitHub, Rate limits for the REST API", 403, JSON, r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes","documentation_url":"https://docs.github.com"}"#, Limit(None)),
    ("GitHub, Rate limits for the REST API", 429, JSON, r#"{"message":"You have exceeded a secondary rate limit","documentation_url":"x"}"#, Limit(None)),
    ("GitHub, as its clients meet it", 403, JSON, r#"{"message":"You have triggered an abuse detection mechanism."}"#, Limit(None)),
    ("GitHub, Rate limits for the REST API", 403, JSON, r#"{"message":"API rate limit exceeded for 203.0.113.7.","documentation_url":"x"}"#, Limit(None)),
    ("GitHub, Troubleshooting the REST API", 403, JSON, r#"{"message":"Resource not accessible by integration","status":"403"}"#, Refused),
    ("GitHub, Getting started", 403, "text/html", "Request forbidden by administrative rules. Please make sure your request has a User-Agent header", Refused),
    ("GitHub, Troubleshooting the REST API", 401, JSON, r#"{"message":"Bad credentials"}"#, Login),
    ("GitHub, Troubleshooting the REST API", 422, JSON, r#"{"message":"Validation Failed","errors":[{"resource":"Issue","code":"missing_field"}]}"#, Refused),
    ("GitHub, Troubleshooting the REST API", 404, JSON, r#"{"message":"Not Found","status":"404"}"#, Refused),
    ("GitHub, Get a blob", 403, JSON, r#"{"message":"This API returns blobs up to 1 MB in size.","errors":[{"code":"too_large"}]}"#, Refused),
    ("GitHub, Git commits", 200, JSON, r#"{"sha":"7638","message":"wait when you have exceeded a secondary rate limit"}"#, Fine),
    ("GitHub, status page", 502, JSON, r#"{"message":"Server Error"}"#, Later),
];

#[rustfmt::skip]
pub(super) const CUSTOMERS: &[Row] = &[
    ("Salesforce, Status codes and error responses", 403, JSON, r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#, Limit(None)),
    ("Salesforce, Status codes and error responses", 401, JSON, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#, Login),
    ("Salesforce, Status codes and error responses", 400, JSON, r#"[{"message":"unable to obtain exclusive access","errorCode":"UNABLE_TO_LOCK_ROW"}]"#, Later),
    ("Salesforce, Status codes and error responses", 400, JSON, r#"[{"message":"bad","errorCode":"MALFORMED_QUERY"}]"#, Refused),
    ("Salesforce, Status codes and error responses", 403, JSON, r#"[{"message":"no","errorCode":"API_DISABLED_FOR_ORG"}]"#, Refused),
    ("Salesforce, Status codes and error responses", 503, JSON, r#"[{"message":"busy","errorCode":"SERVER_UNAVAILABLE"}]"#, Later),
    ("Salesforce, SOAP API faults", 500, "text/xml", r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#, Login),
    ("SOAP 1.1, 4.4.1", 500, "text/xml", "<s:Envelope><s:Header/><s:Body><s:Fault><faultcode>s:Client.Authentication</faultcode></s:Fault></s:Body></s:Envelope>", Refused),
    ("SOAP 1.1, 4.4.1", 200, "text/xml", "<s:Envelope><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>", Later),
    ("SOAP 1.2 part 1, 5.4.6", 400, "application/soap+xml", "<env:Envelope><env:Body><env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code></env:Fault></env:Body></env:Envelope>", Refused),
    ("SOAP 1.2 part 1, 5.4.6", 500, "application/soap+xml", "<env:Envelope><env:Body><env:Fault><env:Code><env:Value>env:Receiver</env:Value></env:Code></env:Fault></env:Body></env:Envelope>", Later),
    ("WS-Security, as its services answer", 500, "text/xml", "<s:Envelope><s:Body><s:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></s:Fault></s:Body></s:Envelope>", Login),
    ("WS-Security, as its services answer", 500, "text/xml", "<s:Envelope><s:Body><s:Fault><faultcode>wsse:InvalidSecurity</faultcode></s:Fault></s:Body></s:Envelope>", Refused),
    ("WS-Security, as its services answer", 400, "application/soap+xml", "<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>wsse:FailedAuthentication</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>", Login),
    ("SOAP 1.2 part 1, 5.4.6", 500, "application/soap+xml", "<env:Envelope><env:Body><env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>m:MessageTimeout</env:Value></env:Subcode></env:Code></env:Fault></env:Body></env:Envelope>", Refused),
    ("SOAP 1.1, 4.3", 200, XML, "<s:Envelope><s:Body><Charge><Fault>none</Fault><faultcode>0</faultcode></Charge></s:Body></s:Envelope>", Fine),
    ("Zendesk, Response format", 409, JSON, r#"{"error":"DatabaseConflict","description":"Database collision"}"#, Later),
    ("Zendesk, Rate limits", 429, JSON, r#"{"error":"APIRateLimitExceeded","description":"Number of allowed API requests per minute exceeded"}"#, Limit(None)),
    ("Zendesk, Response format", 422, JSON, r#"{"error":"RecordInvalid","description":"Record validation errors","details":{}}"#, Refused),
    ("Zendesk, Response format", 401, JSON, r#"{"error":"Couldn't authenticate you"}"#, Login),
    ("Zendesk, Response format", 403, JSON, r#"{"error":{"title":"Forbidden","message":"You do not have access"}}"#, Refused),
    ("Jira, Rate limiting", 429, JSON, r#"{"errorMessages":["Rate limit exceeded."]}"#, Limit(None)),
    ("Jira, Create issue", 400, JSON, r#"{"errorMessages":[],"errors":{"summary":"You must specify a summary of the issue."}}"#, Refused),
    ("Jira, Get issue", 404, JSON, r#"{"errorMessages":["Issue does not exist or you do not have permission to see it."],"errors":{}}"#, Refused),
    ("Jira, Search", 200, JSON, r#"{"issues":[],"warningMessages":["The value 'x' does not exist for the field 'project'."]}"#, Fine),
    ("Bitbucket, error pages", 555, HTML, "<h1>timeout</h1>", Later),
    ("Linear, Rate limiting", 400, JSON, r#"{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED"}}]}"#, Limit(None)),
    ("JSON:API 1.1, Errors", 200, "application/vnd.api+json", r#"{"errors":[{"status":"503","title":"Busy"}]}"#, Later),
    ("JSON:API 1.1, Errors", 200, "application/vnd.api+json", r#"{"errors":[{"status":"422"},{"status":"503"}]}"#, Refused),
    ("JSON:API 1.1, Errors", 200, "application/vnd.api+json", r#"{"errors":[{"title":"no"}],"meta":{}}"#, Refused),
    ("JSON:API 1.1, Top level", 200, "application/vnd.api+json", r#"{"data":[{"type":"errors","id":"1"}],"meta":{"errors":[]}}"#, Fine),
    ("RFC 9457", 200, "application/problem+json", r#"{"type":"about:blank","status":503}"#, Later),
    ("RFC 9457", 200, "application/problem+json", r#"{"type":"about:blank","status":401}"#, Login),
    ("RFC 9457", 200, "application/problem+json", r#"{"type":"about:blank","status":429}"#, Limit(None)),
    ("RFC 9457", 200, "application/problem+json", r#"{"title":"a problem's description","status":200}"#, Fine),
    ("RFC 9457", 403, "application/problem+json", r#"{"type":"https://example.com/probs/out-of-credit","status":200,"balance":30}"#, Refused),
];
use super::HTML;

#[rustfmt::skip]
pub(super) const SLACK: &[Row] = &[
    ("Slack, Using the Web API", 200, JSON, r#"{"ok":true,"channel":"C1","warning":"missing_charset"}"#, Fine),
    ("Slack, Rate limits", 200, JSON, r#"{"ok":false,"error":"ratelimited"}"#, Limit(None)),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"rate_limited"}"#, Limit(None)),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"channel_not_found"}"#, Refused),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"token_revoked"}"#, Login),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"team_added_to_org"}"#, Later),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"org_login_required"}"#, Later),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"fatal_error"}"#, Later),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"internal_error"}"#, Later),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"token_expired"}"#, Login),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"ekm_access_denied"}"#, Refused),
    ("Slack, chat.postMessage", 200, JSON, r#"{"ok":false,"error":"missing_scope","needed":"chat:write"}"#, Refused),
    ("Slack, Rate limits", 429, JSON, r#"{"ok":false,"error":"ratelimited"}"#, Limit(None)),
];

#[tokio::test(start_paused = true)]
async fn answers_of_tools_mean_what_their_pages_say() {
    for rows in [GITHUB, CUSTOMERS, SLACK] {
        each_means(rows, vendors).await;
    }
}

#[tokio::test(start_paused = true)]
async fn slacks_own_check_reads_them_alike_and_wants_its_member() {
    each_means(SLACK, || enforced(StatusField::slack())).await;
    let others: &[Row] = &[("no page", 200, JSON, r#"{"channel":"C1"}"#, Wrong)];
    each_means(others, || enforced(StatusField::slack())).await;
}
