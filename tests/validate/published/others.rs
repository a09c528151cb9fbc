//! Others that answer 200 whatever happened.

use super::{Fine, JSON, Later, Limit, Login, Part, Refused, Row, each_means, vendors};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("JSON-RPC 2.0, 5.1", 200, JSON, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#, Refused),
    ("JSON-RPC 2.0, 5.1", 200, JSON, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}}"#, Later),
    ("EIP-1474", 200, JSON, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit exceeded"}}"#, Limit(None)),
    ("JSON-RPC 2.0, 5", 200, JSON, r#"{"jsonrpc":"2.0","id":1,"result":{"error":{"code":-32603}}}"#, Fine),
    ("JSON-RPC 1.0", 200, JSON, r#"{"jsonrpc":"2.0","id":1,"result":1,"error":null}"#, Fine),
    ("Authorize.Net, Response codes", 200, JSON, "\u{feff}{\"messages\":{\"resultCode\":\"Ok\",\"message\":[{\"code\":\"I00001\"}]}}", Fine),
    ("Authorize.Net, Response codes", 200, JSON, "\u{feff}{\"messages\":{\"resultCode\":\"Error\",\"message\":[{\"code\":\"E00001\"}]}}", Later),
    ("Authorize.Net, Response codes", 200, JSON, "\u{feff}{\"messages\":{\"resultCode\":\"Error\",\"message\":[{\"code\":\"E00007\"}]}}", Login),
    ("Authorize.Net, Response codes", 200, JSON, "\u{feff}{\"messages\":{\"resultCode\":\"Error\",\"message\":[{\"code\":\"E00027\"}]}}", Refused),
    ("Vonage, SMS API errors", 200, JSON, r#"{"message-count":"1","messages":[{"status":"1","error-text":"Throttled"}]}"#, Limit(None)),
    ("Vonage, SMS API errors", 200, JSON, r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials"}]}"#, Login),
    ("Vonage, SMS API errors", 200, JSON, r#"{"message-count":"1","messages":[{"status":"0","message-id":"a"}]}"#, Fine),
    ("WeChat, Global return codes", 200, JSON, r#"{"errcode":45009,"errmsg":"reach max api daily quota limit"}"#, Limit(None)),
    ("WeChat, Global return codes", 200, JSON, r#"{"errcode":42001,"errmsg":"access_token expired"}"#, Login),
    ("WeChat, Global return codes", 200, JSON, r#"{"errcode":-1,"errmsg":"system busy"}"#, Later),
    ("WeChat, Global return codes", 200, JSON, r#"{"errcode":0,"errmsg":"ok"}"#, Fine),
    ("Lark, General error codes", 200, JSON, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#, Limit(None)),
    ("Lark, General error codes", 400, JSON, r#"{"code":99991663,"msg":"Invalid access token"}"#, Login),
    ("Lark, General error codes", 200, JSON, r#"{"code":0,"msg":"success","data":{}}"#, Fine),
    ("Last.fm, Error codes", 200, JSON, r#"{"error":29,"message":"Rate Limit Exceeded"}"#, Limit(None)),
    ("Last.fm, Error codes", 200, JSON, r#"{"error":16,"message":"try again"}"#, Later),
    ("Reddit, API", 200, JSON, r#"{"json":{"errors":[["RATELIMIT","try again in 9 minutes.","ratelimit"]]}}"#, Limit(None)),
    ("Reddit, API", 200, JSON, r#"{"json":{"errors":[],"data":{"things":[]}}}"#, Fine),
    ("monday.com, Rate limits", 200, JSON, r#"{"error_code":"ComplexityException","status_code":429}"#, Limit(None)),
    ("Etherscan, Common error messages", 200, JSON, r#"{"status":"0","message":"NOTOK","result":"Max rate limit reached"}"#, Limit(None)),
    ("Etherscan, Common error messages", 200, JSON, r#"{"status":"1","message":"OK","result":"40891626854930000000000"}"#, Fine),
    ("Alpha Vantage, Support", 200, JSON, r#"{"Information":"our standard API rate limit is 25 requests per day"}"#, Limit(None)),
    ("Alpha Vantage, Support", 200, JSON, r#"{"Note":"Our standard API call frequency is 5 calls per minute"}"#, Limit(None)),
    ("Elasticsearch, Bulk API", 200, JSON, r#"{"took":3,"errors":true,"items":[{"index":{"status":429}},{"index":{"status":201}}]}"#, Part),
    ("Elasticsearch, Bulk API", 200, JSON, r#"{"took":3,"errors":false,"items":[{"index":{"status":201}}]}"#, Fine),
    ("Shopify, GraphQL Admin API rate limits", 200, JSON, r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":100,"throttleStatus":{"currentlyAvailable":0,"restoreRate":50}}}}"#, Limit(Some(2.0))),
    ("Apollo Server, Error handling", 200, JSON, r#"{"data":null,"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#, Later),
    ("Apollo Server, Error handling", 200, JSON, r#"{"data":{"a":1,"b":null},"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#, Part),
    ("GitHub, Rate limits for the REST API", 403, "text/plain", "You have exceeded a secondary rate limit", Limit(None)),
    ("GitHub, Rate limits for the REST API", 403, JSON, "\"You have exceeded a secondary rate limit\"", Limit(None)),
];

#[tokio::test(start_paused = true)]
async fn answers_that_are_always_200_mean_what_their_pages_say() {
    each_means(ROWS, vendors).await;
}
