//! The meaning of results, in one set of classes for all layers.
//!
//! A result is a response, an [`Error`], or nothing, because the caller left. A [`Classify`]
//! assigns a [`Class`] to the first two; all layers decide by class, never by status.
//! [`HttpClassifier`] is the default:
//!
//! | answer | class |
//! |---|---|
//! | 1xx, 2xx, 304 | [`Class::Success`]; 207 is [`Class::Partial`] |
//! | other 3xx, which the client didn't follow | [`Class::ClientError`] |
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
//! A 3xx that reaches a classifier is a redirect that the client didn't follow (or a 300, 305 or
//! 306, which no client follows): the provider did nothing, and the request's URL must be
//! corrected. A 304 is a success: it answers the caller's condition. If the client follows
//! redirects itself, an answer from another URL to a request that isn't safe (RFC 9110, 9.2.1) is
//! not a success: the redirect may have turned a POST into a GET without a body, and
//! [reqwest](crate::transport::reqwest) doesn't say so. (The own client [knows which
//! ones](crate::transport::hyper#redirects).)
//!
//! Your own classifier adds what the default can't know:
//!
//! ```
//! use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
//! use http::StatusCode;
//!
//! // This provider answers 430 when its limit is exceeded.
//! let classifier = HttpClassifier::new().with(|head: &ResponseHead<'_>| {
//!     (head.status.as_u16() == 430).then_some(Class::Throttled)
//! });
//! # let _ = (classifier, StatusCode::OK);
//! ```
//!
//! # Waits
//!
//! The wait that an answer asks for is read once, for all layers:
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
//! A time is a number (a small one is of seconds, a large one a Unix time in seconds or
//! milliseconds), a number with a unit (`6m0s`), an HTTP date or an ISO 8601 one. Dates and Unix
//! times are measured against the answer's own `Date`, so that a wrong clock on either side does no
//! harm.
//!
//! A refusal's wait is the longest of its explicit waits. Without one, it is the latest reset of an
//! exhausted limit, of tokens too; without that, the reset of the limit with the least left. A
//! header that can't be read, or is over a kilobyte long, is ignored.
//!
//! A header that isn't here is added by [`HttpClassifier::limit_header`]; a classifier that is no
//! [`HttpClassifier`] has [`Classify::limit_headers`] for it.

mod classify;
pub(crate) mod error;
mod failed_check;
pub(crate) mod foreign;
mod http;
pub(crate) mod reference;
mod waits;

pub use classify::{Classify, Redirected, ResponseHead};
pub use failed_check::FailedCheck;
pub use http::HttpClassifier;
pub use waits::LimitHeader;

pub use crate::terms::{Class, Fault, GaveUp, Phase, Rejection};

pub(crate) use classify::{
    FollowedRedirect, LeftAlone, SharedClassifier, class_of_error, class_of_head,
    class_of_response, leave_class,
};
pub(crate) use error::{BoxError, Error, ErrorKind};
pub(crate) use failed_check::Place;
pub(crate) use waits::{
    LimitFact, LimitFacts, Resource, Told, date, leave_wait, wait_left, wait_of,
};
