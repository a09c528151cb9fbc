//! GraphQL over HTTP: answers that say 200 and failed, and queries that are safe to repeat.
//!
//! GraphQL answers 200 whatever happened, and sends reads by POST. [`GraphQl`] is the check that reads
//! what happened, and [`MarkQueries`] finds the requests that only read, so that retry and hedge treat
//! them as they treat a GET. An integration gets both by
//! [`IntegrationBuilder::graphql`](crate::IntegrationBuilder::graphql):
//!
//! ```
//! use outrigger::Integration;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::validate::graphql::GraphQl;
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let failed = r#"{"data":null,"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
//! let provider = Script::new([failed, r#"{"data":{"me":{"name":"Ada"}}}"#].map(|body| {
//!     Answer::status(200).header("content-type", "application/json").body(body)
//! }));
//! let shop = Integration::user_flow("shop").graphql(GraphQl::new()).service(provider.clone()).build()?;
//!
//! let query = serde_json::json!({ "query": "{ me { name } }" });
//! let answer = shop.post("http://shop.test/graphql").json(&query).send().await?;
//! assert_eq!((answer.status().as_u16(), provider.begun()), (200, 2));
//! # Ok(()) }
//! ```
//!
//! # Answers
//!
//! With the media type `application/graphql-response+json`, the body says what happened, whatever the
//! status; with any other it does at a 200 only, because somebody between may have answered (GraphQL over
//! HTTP, 6.4).
//!
//! | body | verdict |
//! |---|---|
//! | data, and no errors | pass |
//! | data and errors | partial |
//! | data whose fields are all null, and errors | the worst of the errors' codes, if that is transient, throttled or unauthorized; else partial |
//! | no data, or null, and errors | the worst of the errors' codes |
//! | neither; no object; `errors` that is no list | invalid |
//! | a list of such (a batch) | partial if some failed; the worst if all did |
//! | no JSON, at a 200 | transient |
//!
//! | code (`extensions.code`, or `type` as at GitHub) | verdict |
//! |---|---|
//! | `UNAUTHENTICATED`, `invalid-jwt` | unauthorized |
//! | `THROTTLED`, `RATE_LIMITED`, `RATELIMITED`, `RATE_LIMIT`, `RATE_LIMIT_EXCEEDED`, `REQUEST_RATE_LIMITED`, `TOO_MANY_REQUESTS`, `COMPLEXITY_BUDGET_EXHAUSTED`, `IP_RATE_LIMIT_EXCEEDED`, `DAILY_LIMIT_EXCEEDED`, `maxConcurrencyExceeded` | throttled; Shopify's cost, or monday.com's `retry_in_seconds`, says for how long |
//! | `INTERNAL_SERVER_ERROR`, `SERVICE_UNAVAILABLE`, `SUBREQUEST_HTTP_ERROR`, `unexpected`, any with `TIMEOUT` in it | transient |
//! | none, but a message of a server that failed: `Internal server error`, `Something went wrong while executing`, `timed out` | transient |
//! | any other code, or none, without `data`, at a status that is no 2xx, 400 or 422 | as the status says |
//! | any other code | permanent |
//! | none, and `data` is null | transient |
//! | none, and there is no `data` | permanent: the request was not run |
//!
//! Where `data` is there, the request was run, at least in part: a credential that was refused on the way
//! is renewed, but only what is safe to repeat is sent again.
//!
//! Codes of your provider are added by [`GraphQl::code`]. With [`GraphQl::user_errors`], a mutation that the
//! business refused is permanent.
//!
//! # Requests
//!
//! A POST of JSON whose document's only operation, or the one that `operationName` names, is a query gets
//! [`RetryOverride::Safe`](crate::retry::RetryOverride::Safe), unless it has an override already. Mutations,
//! subscriptions, batches, persisted queries without a document unless they are
//! [named](GraphQl::persisted_queries), bodies that are streams or over 1 MiB,
//! and documents that can't be read stay what they are, a POST. A request without `Accept` asks for both
//! media types. A cache doesn't store answers to a POST (RFC 9111, 3), also not of queries.
//!
//! Where a provider has other paths beside GraphQL's, name that: [`GraphQl::at_path`].
//!
//! # When not to use it
//!
//! For subscriptions over server-sent events; and for a server whose queries change something.
//!
//! Sources: GraphQL, October 2021; GraphQL over HTTP, draft of 2025; Apollo Server, *Error handling*;
//! Shopify, *GraphQL Admin API rate limits*; GitHub, *Rate limits and query limits for the GraphQL API*.

mod check;
mod document;
mod endpoint;
mod request;

pub use check::GraphQl;
pub use request::MarkQueries;

#[cfg(any(fuzzing, test))]
pub(super) use document::only_reads;
