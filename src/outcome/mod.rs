//! What a result means: one vocabulary that every layer reads.
//!
//! A result is a response, an [`Error`], or nothing at all because the caller went
//! away. A [`Classify`] turns the first two into a [`Class`]; each layer then decides by class,
//! never by status. [`HttpClassifier`] is the default:
//!
//! | answer | class |
//! |---|---|
//! | 1xx, 2xx, 304 | [`Class::Success`]; 207 is [`Class::Partial`] |
//! | other 3xx, which nobody followed | [`Class::ClientError`] |
//! | 401 | [`Class::Unauthorized`] |
//! | 429, 418, 420; 503 with `Retry-After`; a 400 or 403 that says it by a header of [waits](#waits) | [`Class::Throttled`] |
//! | other 4xx | [`Class::ClientError`] |
//! | other 5xx | [`Class::ServerError`] |
//! | an error | by its kind; [`Class::ClientError`] where an answer's head is larger than our client allows |
//!
//! (`Retry-After` on a 503: RFC 9110, 10.2.3. GitHub's secondary limits send it with a 403, its primary one
//! a 403 with nothing remaining; Linear a 400 with nothing remaining; Binance a 418 to those who went on
//! after a 429. A 403 or 400 without such a header is about rights or the request.)
//!
//! A 3xx that reaches a classifier is a redirect that the client didn't follow (or a 300, 305 or 306,
//! which none follows): nothing was done, and the request's URL is ours to mend. A 304 answers the
//! condition that the caller sent; one to a request without a condition is taken for the same. Over a
//! client that follows redirects by itself, an answer from another URL to a request that is not safe
//! (RFC 9110, 9.2.1) is no success either: on the way, a POST may have become a GET without a body, and
//! [reqwest](crate::transport::reqwest) doesn't tell.
//!
//! A classifier of one's own tells what the default can't know:
//!
//! ```
//! use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
//! use http::StatusCode;
//!
//! // This provider answers 430 when it has had enough of us.
//! let classifier = HttpClassifier::new().with(|head: &ResponseHead<'_>| {
//!     (head.status.as_u16() == 430).then_some(Class::Throttled)
//! });
//! # let _ = (classifier, StatusCode::OK);
//! ```
//!
//! # Waits
//!
//! What an answer asks its callers to wait is read once, and the same for every layer:
//!
//! | header | of | says |
//! |---|---|---|
//! | `Retry-After` | RFC 9110, 10.2.3 | a wait |
//! | `Retry-After-Ms`, `X-Ms-Retry-After-Ms` | Azure, OpenAI | a wait in milliseconds |
//! | `RateLimit`, `RateLimit-Policy` | draft-ietf-httpapi-ratelimit-headers, 07 and from 08 on | what is left, until when, in which window |
//! | `RateLimit-Limit`, `-Remaining`, `-Reset`, `-ResetTime` | the draft up to 06; GitLab, Klaviyo, Zendesk | the same |
//! | `X-RateLimit-…` and the same words, and `-Reset-After`, `-Retry-After`, `-Period`, `-Resource`, `-Bucket` | GitHub, Jira, Discord, Datadog, MailerLite and most others | the same, and of what |
//! | `X-Rate-Limit-…` | X, Okta; Trello (`-Api-Token-Interval-Ms`, `-Max`, `-Remaining`) | the same |
//! | `X-RateLimit-…-Requests`, `-Tokens`; `X-RateLimit-Requests-…` | OpenAI; Linear | the same, of either |
//! | `Anthropic-RateLimit-…` | Anthropic | the same |
//! | `X-HubSpot-RateLimit-Max`, `-Remaining`, `-Interval-Milliseconds` | HubSpot | the same |
//! | `X-Sentry-Rate-Limit-…`, `X-Sib-RateLimit-…`, `X-Contentful-RateLimit-…`, `X-Bapi-Limit-…` | Sentry, Brevo, Contentful, Bybit | the same |
//! | `X-Amzn-RateLimit-Limit` | Amazon's Selling Partner API | requests a second, of a refusal |
//! | `X-Shopify-Shop-Api-Call-Limit` | Shopify | what is used of a bucket that leaks |
//!
//! A time is a number (a small one is of seconds, a large one a Unix time in seconds or milliseconds), a
//! number with a unit (`6m0s`), an HTTP date or an ISO 8601 one. Dates and Unix times are measured against
//! the answer's own `Date`, so that a clock that is wrong here or there does no harm.
//!
//! A refusal asks for the longest of its waits, in so many words; without, for the last reset of what has
//! nothing left, tokens too; without, for the reset of what has the least left. What can't be read, or is
//! over a kilobyte long, says nothing.
//!
//! A header that isn't here is added by [`HttpClassifier::limit_header`]; a classifier that is no
//! [`HttpClassifier`] has [`Classify::limit_headers`] for it.

mod classify;
pub(crate) mod error;
pub(crate) mod foreign;
mod http;
mod waits;

pub use classify::{Classify, Redirected, ResponseHead};
pub use http::HttpClassifier;
pub use waits::LimitHeader;

pub use crate::terms::{Class, Fault, GaveUp, Phase, Rejection};

pub(crate) use classify::{
    LeftAlone, SharedClassifier, class_of_error, class_of_head, class_of_response,
};
pub(crate) use error::{BoxError, Error, ErrorKind};
pub(crate) use waits::{LimitFact, LimitFacts, Resource, Told, leave_wait, wait_of};
