//! Limits on one attempt: to the response head, after the upload, and on a stalled upload.
//!
//! | limit | runs from | until |
//! |---|---|---|
//! | [`attempt`](TimeoutLayer::attempt) | the attempt's start | the response head |
//! | [`response_head`](TimeoutLayer::response_head) | the last byte of the request's body was taken | the response head |
//! | [`upload_stall`](TimeoutLayer::upload_stall) | bytes of the request's body were taken | the next bytes of it |
//!
//! The head counts as there while [`validate`](crate::validate), further in, reads the body before it hands
//! both up, in an integration or as one layer with this.
//!
//! A long upload is not a slow answer: with `response_head` and `upload_stall` instead of `attempt`, a
//! request may take as long as it makes progress.
//!
//! With an integration's own client over HTTP/1.1, bytes are "taken" when they are written to the
//! system. In other cases, they are taken when the inner service reads them from the body: over HTTP/2,
//! whose flow control lets our client hold at most 256 KiB, and with other clients, which hold some
//! hundred KiB. If one of the two limits is set, large frames are split into pieces of 64 KiB, without a
//! copy, because a client that reads a whole body at once has taken it. What the system buffers (on
//! Linux up to 4 MiB a connection) always counts as taken. While a request waits for a connection of our
//! own client, neither limit runs.
//!
//! All limits share the call's one timer, which is not started for an answer that comes at once. An
//! attempt also ends at the call's deadline, with the deadline's error.
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
//! - outside [`idle_timeout`](crate::idle_timeout), which begins when this ends.
//!
//! It knows the call's deadline only from a
//! [`deadline`](crate::deadline) further out. The inner service gets requests with a
//! [`RequestBody`].
//!
//! # When not to use it
//!
//! For the body of the answer: use [`idle_timeout`](crate::idle_timeout) and
//! [`deadline`](crate::deadline).
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `attempt`, `response_head`, `upload_stall` | none | they depend on the provider |
//! | `send_on` | none | few providers read it |
//!
//! # Errors and events
//!
//! [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) with the phase that passed, delivery
//! "unknown": the provider may have acted on a request that it did not answer. Event:
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
