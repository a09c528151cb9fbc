//! GraphQL of several vendors.

use outrigger::validate::graphql::GraphQl;

use super::{Fine, HTML, JSON, Later, Limit, Login, Part, Refused, Row, Wrong, each_means};
use crate::bench::enforced;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    ("GitHub GraphQL, Rate limits", 200, JSON, r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for user ID 1."}]}"#, Limit(None)),
    ("GitHub GraphQL, Rate limits", 200, JSON, r#"{"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 1."}]}"#, Limit(None)),
    ("GitHub GraphQL, Rate limits", 200, JSON, r#"{"documentation_url":"x","message":"You have exceeded a secondary rate limit."}"#, Limit(None)),
    ("GitHub GraphQL, Forming calls", 200, JSON, r#"{"data":{"repository":null},"errors":[{"type":"NOT_FOUND","path":["repository"]}]}"#, Part),
    ("GitHub GraphQL, Resource limits", 200, JSON, r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout."}]}"#, Later),
    ("GitHub GraphQL, Resource limits", 200, JSON, r#"{"errors":[{"message":"Something went wrong while executing your query."}]}"#, Later),
    ("GitHub GraphQL, Forming calls", 200, JSON, r#"{"errors":[{"path":["query"],"extensions":{"code":"undefinedField"},"message":"Field 'x' doesn't exist"}]}"#, Refused),
    ("GitHub GraphQL, Forming calls", 401, JSON, r#"{"message":"Bad credentials"}"#, Login),
    ("GitHub GraphQL, Forming calls", 200, JSON, r#"{"data":{"viewer":{"login":"ada"}}}"#, Fine),
    ("Shopify, GraphQL Admin API rate limits", 200, JSON, r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":202,"throttleStatus":{"maximumAvailable":1000.0,"currentlyAvailable":118,"restoreRate":50.0}}}}"#, Limit(Some(1.68))),
    ("Shopify, GraphQL status and error codes", 200, JSON, r#"{"errors":[{"message":"Internal error.","extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"1b"}}]}"#, Later),
    ("Shopify, GraphQL status and error codes", 200, JSON, r#"{"errors":[{"message":"Access denied","extensions":{"code":"ACCESS_DENIED"}}]}"#, Refused),
    ("Shopify, GraphQL status and error codes", 200, JSON, r#"{"errors":[{"message":"shop","extensions":{"code":"SHOP_INACTIVE"}}]}"#, Refused),
    ("Shopify, productCreate", 200, JSON, r#"{"data":{"productCreate":{"product":null,"userErrors":[{"field":["title"],"message":"can't be blank"}]}}}"#, Refused),
    ("Shopify, productCreate", 200, JSON, r#"{"data":{"productCreate":{"product":{"id":"1"},"userErrors":[]}},"extensions":{"cost":{"requestedQueryCost":10}}}"#, Fine),
    ("Shopify Storefront, customerCreate", 200, JSON, r#"{"data":{"customerCreate":{"customer":null,"customerUserErrors":[{"code":"TAKEN"}]}}}"#, Refused),
    ("Apollo Server, Error handling", 200, JSON, r#"{"data":{"me":null},"errors":[{"message":"no","path":["me"],"extensions":{"code":"UNAUTHENTICATED"}}]}"#, Login),
    ("Apollo Server, Error handling", 200, JSON, r#"{"data":{"me":{"name":"a"},"orders":null},"errors":[{"path":["orders"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#, Part),
    ("Apollo Server, Error handling", 400, OWN, r#"{"errors":[{"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#, Refused),
    ("Apollo Server, Error handling", 500, OWN, r#"{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#, Later),
    ("Apollo Router, Errors", 503, OWN, r#"{"errors":[{"extensions":{"code":"REQUEST_CONCURRENCY_LIMITED"}}]}"#, Later),
    ("Apollo Router, Errors", 429, OWN, r#"{"errors":[{"message":"Too many requests"}]}"#, Limit(None)),
    ("Apollo Router, Errors", 401, OWN, r#"{"errors":[{"message":"no"}]}"#, Login),
    ("Apollo, Automatic persisted queries", 200, JSON, r#"{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}"#, Refused),
    ("Apollo, Batching", 200, JSON, r#"[{"data":{"a":1}},{"data":{"b":2}}]"#, Fine),
    ("Apollo, Batching", 200, JSON, r#"[{"data":{"a":1}},{"data":null,"errors":[{"message":"no"}]}]"#, Part),
    ("Apollo, Batching", 200, JSON, r#"[{"errors":[{"extensions":{"code":"THROTTLED"}}]},{"errors":[{"extensions":{"code":"THROTTLED"}}]}]"#, Limit(None)),
    ("monday.com, Changelog", 200, JSON, r#"{"errors":[{"message":"Complexity budget exhausted","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":7}}]}"#, Limit(Some(7.0))),
    ("monday.com, as its clients meet it", 200, JSON, r#"{"errors":[{"message":"no","extensions":{"code":"maxConcurrencyExceeded"}}]}"#, Limit(None)),
    ("monday.com, as its clients meet it", 200, JSON, r#"{"errors":[{"message":"no","extensions":{"code":"IP_RATE_LIMIT_EXCEEDED"}}]}"#, Limit(None)),
    ("monday.com, Rate limits", 200, JSON, r#"{"errors":[{"message":"no","extensions":{"code":"DAILY_LIMIT_EXCEEDED"}}]}"#, Limit(None)),
    ("monday.com, Error handling", 200, JSON, r#"{"data":{"me":{"id":"4012689"},"boards":null},"errors":[{"message":"User unauthorized to perform action","path":["boards"],"extensions":{"code":"UserUnauthorizedException","error_data":{},"status_code":403}}],"account_id":123456}"#, Part),
    ("Several servers write it", 200, JSON, r#"{"data":{"a":1},"errors":null}"#, Fine),
    ("Several servers write it", 200, JSON, r#"{"data":{"a":1},"errors":[]}"#, Fine),
    ("GraphQL, 7.1", 200, JSON, r#"{"data":null}"#, Wrong),
    ("GraphQL, 7.1", 200, JSON, r#"{"data":null,"errors":"no"}"#, Wrong),
    ("a proxy", 200, HTML, "<html>", Later),
    ("a proxy", 200, JSON, r#"{"data":{"a":1"#, Later),
];
const OWN: &str = "application/graphql-response+json";

#[tokio::test(start_paused = true)]
async fn answers_of_graphql_mean_what_their_pages_say() {
    each_means(ROWS, || enforced(GraphQl::shopify())).await;
}
