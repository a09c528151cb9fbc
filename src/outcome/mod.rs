//! What a result means: one vocabulary that every layer reads.
//!
//! A result is a response, an [`Error`](crate::Error), or nothing at all because the caller went
//! away. A [`Classify`] turns the first two into a [`Class`]; each layer then decides by class,
//! never by status. [`HttpClassifier`] is the default:
//!
//! | answer | class |
//! |---|---|
//! | 1xx, 2xx, 3xx | [`Class::Success`]; 207 is [`Class::Partial`] |
//! | 401 | [`Class::Unauthorized`] |
//! | 429; 503 or 403 with `Retry-After`; 403 with `X-RateLimit-Remaining: 0` | [`Class::Throttled`] |
//! | other 4xx | [`Class::ClientError`] |
//! | other 5xx | [`Class::ServerError`] |
//! | an error | by its kind |
//!
//! (`Retry-After` on a 503: RFC 9110, 10.2.3. On a 403 it is what GitHub's secondary limits send,
//! and it has no other meaning there; its primary one sends a 403 with nothing remaining.)
//!
//! A classifier of one's own tells what the default can't know:
//!
//! ```
//! use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
//! use http::StatusCode;
//!
//! // This provider answers 420 when it has had enough of us.
//! let classifier = HttpClassifier::new().with(|head: &ResponseHead<'_>| {
//!     (head.status.as_u16() == 420).then_some(Class::Throttled)
//! });
//! # let _ = (classifier, StatusCode::OK);
//! ```

mod class;
mod classify;
pub(crate) mod foreign;
mod gave_up;
mod http;
mod waits;

pub use class::{Class, Fault, Phase, Rejection};
pub use classify::{Classify, ResponseHead};
pub use gave_up::GaveUp;
pub use http::HttpClassifier;
pub use waits::LimitHeader;

pub(crate) use classify::{SharedClassifier, class_of_error, class_of_response};
pub(crate) use waits::{LimitFact, LimitFacts, Resource, Told, wait_of};
