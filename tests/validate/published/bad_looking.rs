//! Good answers that look bad.

use outrigger::validate::{Media, ValidateLayer};

use super::{Fine, HTML, JSON, Row, XML, each_means, each_means_with, vendors};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    ("a payment that was refused", 200, JSON, r#"{"resultCode":"Refused","refusalReason":"fraud"}"#, Fine),
    ("a job that failed", 200, JSON, r#"{"id":1,"status":"failed","error":"internal_error"}"#, Fine),
    ("a job that failed", 200, JSON, r#"{"id":1,"ok":false,"error":null}"#, Fine),
    ("a job that failed", 200, JSON, r#"{"id":1,"error":{"code":"insufficient_quota"},"status":"failed"}"#, Fine),
    ("a list of errors", 200, JSON, r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","at":"2026-01-01"}]"#, Fine),
    ("a list of errors", 200, JSON, r#"{"errors":[{"extensions":{"code":"THROTTLED"}}],"page":1}"#, Fine),
    ("a record of access", 200, JSON, r#"{"id":1,"status":"REQUEST_DENIED"}"#, Fine),
    ("a list of records", 200, JSON, r#"[{"status":"OVER_QUERY_LIMIT"}]"#, Fine),
    ("a job that failed", 200, JSON, r#"{"id":1,"status":"UNKNOWN_ERROR"}"#, Fine),
    ("a report of faults", 200, JSON, r#"{"errors":[{"type":"missing","line":3}]}"#, Fine),
    ("a list of limits", 200, JSON, r#"{"json":{"ratelimit":3,"errors":[]}}"#, Fine),
    ("a code that is well", 200, JSON, r#"{"errcode":0,"errmsg":"","data":{}}"#, Fine),
    ("a note", 200, JSON, r#"{"Note":"the customer asked about the rate limit","Information":"call back"}"#, Fine),
    ("a message that is not ok", 200, JSON, r#"{"message":"NOTOK"}"#, Fine),
    ("a text about limits", 200, JSON, r#"{"message":"You have exceeded a secondary rate limit"}"#, Fine),
    ("a text with quotes", 200, JSON, r#"{"text":"{\"ok\":false,\"error\":\"ratelimited\"}"}"#, Fine),
    ("errors that are none", 200, JSON, r#"{"id":1,"errors":[],"error":null,"message":null}"#, Fine),
    ("a type that is a name", 200, JSON, r#"{"__type":"ThrottlingException"}"#, Fine),
    ("a code of a country", 200, JSON, r#"{"code":99991400,"name":"x"}"#, Fine),
    ("a list of messages", 200, JSON, r#"{"messages":[{"status":"1"},{"status":"5"}]}"#, Fine),
    ("a count of errors", 200, JSON, r#"{"error":29,"warnings":1}"#, Fine),
    ("a switch", 200, JSON, r#"{"errors":true}"#, Fine),
    ("a list of items", 200, JSON, r#"{"errors":[],"items":[{"error":"x"}]}"#, Fine),
    ("a name", 200, JSON, r#"{"code":1,"name":"Invalid_Key"}"#, Fine),
    ("a log", 200, "text/plain", "<Error><Code>SlowDown</Code></Error> was answered at noon", Fine),
    ("a feed", 200, XML, "<feed><Error><Code>SlowDown</Code></Error></feed>", Fine),
    ("an error of one of several objects", 200, XML, "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>", Fine),
    ("an envelope", 200, XML, "<Envelope><Body><Order><Fault><faultcode>Server</faultcode></Fault></Order></Body></Envelope>", Fine),
    ("a page", 200, HTML, "<html><body>API rate limit exceeded</body></html>", Fine),
    ("a picture", 200, "image/png", "\u{89}PNG\r\n", Fine),
    ("nothing", 200, JSON, "", Fine),
    ("nothing", 202, "text/plain", "", Fine),
    ("a list", 200, JSON, "[]", Fine),
    ("a word", 200, JSON, "\"ok\"", Fine),
    ("a word", 200, "text/plain", "ok", Fine),
    ("a cut emoji", 200, JSON, r#"{"id":1,"preview":"abc \ud83d"}"#, Fine),
    ("a huge number", 200, JSON, r#"{"id":1,"x":1e999}"#, Fine),
];

#[tokio::test(start_paused = true)]
async fn a_good_answer_that_looks_bad_stays_good() {
    each_means(ROWS, vendors).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_needs_no_media_type() {
    let empty: &[Row] = &[
        ("an accepted request", 202, "", "", Fine),
        ("an accepted request", 202, "text/plain", "", Fine),
        ("a deleted object", 200, "text/html", "", Fine),
    ];
    each_means(empty, || ValidateLayer::new().enforce(Media::json())).await;
    let length = &[("content-length", "0")];
    each_means_with(empty, length, || ValidateLayer::new().enforce(Media::json())).await;
}
