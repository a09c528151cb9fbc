//! Limits on one attempt: to the response head, after the upload, and on a stalled upload.
//!
//! | limit | runs from | until |
//! |---|---|---|
//! | [`attempt`](TimeoutLayer::attempt) | the attempt's start | the response head |
//! | [`response_head`](TimeoutLayer::response_head) | the last byte of the request's body was taken | the response head |
//! | [`upload_stall`](TimeoutLayer::upload_stall) | something of the request's body was taken | the next bytes of it |
//!
//! A long upload is not a slow answer: with `response_head` and `upload_stall` in place of
//! `attempt`, a request may take as long as it keeps moving.
//!
//! "Taken" is what was written to the system, over HTTP/1.1 by an integration's own client. What an
//! inner service takes from the body counts elsewhere: over HTTP/2, whose flow control lets our
//! client hold at most 256 KiB, and with other clients, which hold some hundred KiB. Where one of
//! the two limits is set, large frames are handed on in pieces of 64 KiB, without a copy, because a
//! client that is given a whole body has taken it. What the system holds back (on Linux up to 4 MiB
//! a connection) counts as taken everywhere. While a request waits for a connection of our own
//! client, neither limit runs.
//!
//! All limits share the call's one timer, which is not armed at all for an answer that is there at
//! once. An attempt also never outlives the call's deadline; then the error is the deadline's.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside [`retry`](crate::retry) and [`hedge`](crate::hedge), so that each attempt has a limit
//!   of its own;
//! - inside [`rate_limit`](crate::rate_limit) and [`bulkhead`](crate::bulkhead): outside, the wait
//!   in their queues would be taken for the provider's time;
//! - inside [`circuit_breaker`](crate::circuit_breaker), so that an attempt that hangs is a failure
//!   to it;
//! - outside [`idle_timeout`](crate::idle_timeout), which begins where this ends.
//!
//! It ends an attempt at the call's deadline too, but knows that only from a
//! [`deadline`](crate::deadline) further out. The inner service gets requests with a
//! [`RequestBody`].
//!
//! # When not to use it
//!
//! For the body of the answer: that is [`idle_timeout`](crate::idle_timeout)'s and
//! [`deadline`](crate::deadline)'s.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `attempt`, `response_head`, `upload_stall` | none | only their user knows the provider |
//! | `send_on` | none | few providers read it, and a header is seen by all of them |
//!
//! # Errors and events
//!
//! [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) with the phase that passed, delivery
//! "unknown": a request that was sent and not answered may have been acted on. Event:
//! [`TimedOut`](crate::event::Event::TimedOut).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Body, timeout::TimeoutLayer};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hangs = service_fn(|_: http::Request<_>| {
//!     std::future::pending::<Result<http::Response<Body>, outrigger::Error>>()
//! });
//! let mut service = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new().attempt(Duration::from_secs(2)))
//!     .service(hangs);
//!
//! let error = service.ready().await?.call(http::Request::new(Body::empty())).await.unwrap_err();
//! assert_eq!(error.to_string(), "attempt timed out after 2s");
//! # Ok(()) }
//! ```

mod around;
mod layer;
mod limits;
#[cfg(feature = "serde")]
mod settings;

pub use crate::body::RequestBody;
pub use crate::pattern::Watched;
pub use around::TimeoutPattern;
pub use layer::{Timeout, TimeoutLayer};

#[cfg(feature = "serde")]
pub(crate) use settings::TimeoutSettings;
