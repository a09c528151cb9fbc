//! Google, Amazon, Microsoft.

use outrigger::validate::StatusField;

use super::{Fine, JSON, Later, Limit, Login, Part, Refused, Row, XML, each_means, vendors};
use crate::bench::enforced;

#[rustfmt::skip]
pub(super) const GOOGLE: &[Row] = &[
    ("Drive, Resolve errors", 403, JSON, r#"{"error":{"code":403,"errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded"}]}}"#, Limit(None)),
    ("Drive, Resolve errors", 403, JSON, r#"{"error":{"code":403,"errors":[{"domain":"usageLimits","reason":"dailyLimitExceeded"}]}}"#, Limit(None)),
    ("Drive, Resolve errors", 429, JSON, r#"{"error":{"code":429,"errors":[{"domain":"usageLimits","reason":"rateLimitExceeded"}]}}"#, Limit(None)),
    ("Drive, Resolve errors", 403, JSON, r#"{"error":{"code":403,"errors":[{"domain":"global","reason":"insufficientFilePermissions"}]}}"#, Refused),
    ("Drive, Resolve errors", 403, JSON, r#"{"error":{"code":403,"errors":[{"domain":"global","reason":"storageQuotaExceeded"}]}}"#, Refused),
    ("Drive, Resolve errors", 401, JSON, r#"{"error":{"code":401,"errors":[{"reason":"authError","location":"Authorization"}]}}"#, Login),
    ("Drive, Resolve errors", 500, JSON, r#"{"error":{"code":500,"errors":[{"reason":"backendError"}]}}"#, Later),
    ("YouTube Data API, Errors", 403, JSON, r#"{"error":{"code":403,"errors":[{"domain":"youtube.quota","reason":"quotaExceeded"}]}}"#, Limit(None)),
    ("BigQuery, Error messages", 403, JSON, r#"{"error":{"code":403,"errors":[{"reason":"jobRateLimitExceeded"}]}}"#, Limit(None)),
    ("BigQuery, Error messages", 400, JSON, r#"{"error":{"code":400,"errors":[{"reason":"jobBackendError"}]}}"#, Later),
    ("BigQuery, Error messages", 400, JSON, r#"{"error":{"code":400,"errors":[{"reason":"invalidQuery"}]}}"#, Refused),
    ("BigQuery, Jobs: get", 200, JSON, r#"{"kind":"bigquery#job","status":{"state":"DONE","errorResult":{"reason":"jobBackendError"}}}"#, Fine),
    ("AIP-193", 429, JSON, r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED"}]}}"#, Limit(None)),
    ("AIP-193", 403, JSON, r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#, Refused),
    ("Geocoding requests and responses", 200, JSON, r#"{"error_message":"over the limit","results":[],"status":"OVER_QUERY_LIMIT"}"#, Limit(None)),
    ("Geocoding requests and responses", 200, JSON, r#"{"error_message":"The provided API key is invalid.","results":[],"status":"REQUEST_DENIED"}"#, Refused),
    ("Geocoding requests and responses", 200, JSON, r#"{"error_message":"not enabled","results":[],"status":"OVER_DAILY_LIMIT"}"#, Refused),
    ("Geocoding requests and responses", 200, JSON, r#"{"error_message":"the address is missing","results":[],"status":"INVALID_REQUEST"}"#, Refused),
    ("Geocoding requests and responses", 200, JSON, r#"{"results":[],"status":"UNKNOWN_ERROR"}"#, Later),
    ("Geocoding requests and responses", 200, JSON, r#"{"results":[],"status":"ZERO_RESULTS"}"#, Fine),
];

#[rustfmt::skip]
pub(super) const AMAZON: &[Row] = &[
    ("S3, CompleteMultipartUpload", 200, XML, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n <Code>InternalError</Code>\n <Message>Try again.</Message>\n</Error>", Later),
    ("S3, CompleteMultipartUpload", 200, XML, "  \n  \n<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>", Limit(None)),
    ("S3, CopyObject", 200, XML, "<Error><Message>no</Message><Code>AccessDenied</Code></Error>", Refused),
    ("S3, CopyObject", 200, XML, "<CopyObjectResult><ETag>\"9b2c\"</ETag></CopyObjectResult>", Fine),
    ("S3, DeleteObjects", 200, XML, "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>", Fine),
    ("S3, Error responses", 503, XML, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>", Limit(None)),
    ("S3, Error responses", 400, XML, "<Error><Code>RequestTimeout</Code></Error>", Later),
    ("S3, Error responses", 400, XML, "<Error><Code>ExpiredToken</Code></Error>", Login),
    ("S3, Error responses", 403, XML, "<Error><Code>AccessDenied</Code></Error>", Refused),
    ("S3, Error responses", 403, XML, "<Error><Code>InvalidAccessKeyId</Code></Error>", Login),
    ("S3, Error responses", 404, XML, "<Error><Code>NoSuchKey</Code></Error>", Refused),
    ("S3, Error responses", 500, XML, "<Error><Code>InternalError</Code></Error>", Later),
    ("EC2, Error codes", 503, XML, "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>", Limit(None)),
    ("SES, Query API", 400, XML, "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>", Limit(None)),
    ("DynamoDB, Error handling", 400, "application/x-amz-json-1.0", r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slower"}"#, Limit(None)),
    ("DynamoDB, Error handling", 400, "application/x-amz-json-1.0", r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#, Refused),
    ("AWS, Common error types", 400, "application/x-amz-json-1.1", r#"{"__type":"ExpiredTokenException","message":"expired"}"#, Login),
    ("AWS, Common error types", 403, "application/x-amz-json-1.1", r#"{"__type":"ExpiredTokenException","message":"expired"}"#, Login),
    ("AWS, Common error types", 403, "application/x-amz-json-1.1", r#"{"__type":"UnrecognizedClientException","message":"no"}"#, Login),
    ("AWS, Common error types", 403, JSON, r#"{"message":"The security token included in the request is expired"}"#, Login),
    ("AWS, Common error types", 403, JSON, r#"{"message":"You do not have sufficient access to perform this action."}"#, Refused),
    ("AWS, Common error types", 400, "application/x-amz-json-1.1", r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#, Limit(None)),
];

#[rustfmt::skip]
pub(super) const MICROSOFT: &[Row] = &[
    ("Graph, Throttling", 429, JSON, r#"{"error":{"code":"TooManyRequests","innerError":{"code":"429","date":"2020-08-18T12:51:51","message":"Please retry after","request-id":"94fb3b52","status":"429"},"message":"Please retry again later."}}"#, Limit(None)),
    ("Graph, Error responses", 401, JSON, r#"{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}"#, Login),
    ("Graph, Error responses", 403, JSON, r#"{"error":{"code":"Authorization_RequestDenied","message":"no"}}"#, Refused),
    ("Graph, Error responses", 503, JSON, r#"{"error":{"code":"serviceNotAvailable","message":"later"}}"#, Later),
    ("Graph, Error responses", 504, JSON, r#"{"error":{"code":"gatewayTimeout","message":"later"}}"#, Later),
    ("Graph, Error responses", 404, JSON, r#"{"error":{"code":"itemNotFound","message":"no"}}"#, Refused),
    ("Graph, Get user", 200, JSON, r#"{"@odata.context":"x","id":"1","displayName":"error"}"#, Fine),
    ("Graph, Send mail", 202, "", "", Fine),
];

#[rustfmt::skip]
pub(super) const GRAPH_BATCH: &[Row] = &[
    ("Graph, JSON batching", 200, JSON, r#"{"responses":[{"id":"1","status":200,"body":{}},{"id":"2","status":429,"headers":{"Retry-After":"9"}}]}"#, Part),
    ("Graph, JSON batching", 200, JSON, r#"{"responses":[{"id":"1","status":429},{"id":"2","status":429}]}"#, Limit(None)),
    ("Graph, JSON batching", 200, JSON, r#"{"responses":[{"id":"1","status":201,"body":{}},{"id":"2","status":204}]}"#, Fine),
];

#[tokio::test(start_paused = true)]
async fn answers_of_clouds_mean_what_their_pages_say() {
    for rows in [GOOGLE, AMAZON, MICROSOFT] {
        each_means(rows, vendors).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_microsofts_is_read_by_a_status_field_of_your_own() {
    let batch = || {
        let field = StatusField::new("/status", 200).or_success(201).or_success(204);
        field.code("429", outrigger::validate::Verdict::Throttled).each("/responses")
    };
    each_means(GRAPH_BATCH, || enforced(batch())).await;
}
