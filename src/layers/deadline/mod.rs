//! One absolute limit in clock time for a whole call.
//!
//! The deadline covers everything further in: readiness, queues, waits between attempts, every
//! attempt and the answer's body. The layer's service is ready at once, and waits inside the call
//! until the inner service is: a timer that starts only after such a wait lets a call with a limit
//! of 1 s take several seconds. If the inner service fails to get ready, the call ends with that
//! error, so that fallbacks and subscribers see it.
//!
//! A [`CallDeadline`](crate::context::CallDeadline) in the request's extensions replaces the layer's
//! limit for this request: it gives less time or more. Without
//! [`may_be_lengthened`](DeadlineLayer::may_be_lengthened), it can only give less. An inherited deadline,
//! from a deadline further out or from the current [`Scope`](crate::context::Scope), counts if it is
//! sooner, because the caller has no more time than that.
//!
//! Layers further in read the deadline: [`retry`](crate::retry) begins no wait that would pass it,
//! [`timeout`](crate::timeout) ends an attempt at it. A call whose deadline has passed when it begins
//! is not sent.
//!
//! The answer's body ends with an error at the deadline, even while data keeps coming: only the last
//! frame, which completes it, is handed over late.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - outside [`retry`](crate::retry), the queues ([`circuit_breaker`](crate::circuit_breaker),
//!   [`rate_limit`](crate::rate_limit), [`bulkhead`](crate::bulkhead)) and
//!   [`timeout`](crate::timeout): a deadline bounds only the layers further in, and only they know of
//!   it;
//! - inside [`fallback`](crate::fallback), so that a call that is late gets its fallback too;
//! - inside [`observe`](crate::observe), so that a passed deadline is reported as how the call ended.
//!
//! # When not to use it
//!
//! For an answer that never ends (server-sent events): give such a request a
//! [`CallDeadline`](crate::context::CallDeadline) of its own, far away, or use
//! [`timeout`](crate::timeout) and [`idle_timeout`](crate::idle_timeout) alone.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `limit` | none: inherited deadlines only | only the caller knows how long an answer is useful |
//! | `may_be_lengthened` | yes | some requests take longer than others of the same integration: streams, exports |
//!
//! # Errors and events
//!
//! [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) with
//! [`Phase::Call`](crate::terms::Phase::Call). Its delivery is "not sent" if the request was still
//! queued here and no earlier attempt had gone out, else "unknown"; "answered" once the head had come
//! and all earlier attempts were answered. Event: [`TimedOut`](crate::event::Event::TimedOut).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::{Body, deadline::DeadlineLayer};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hangs = service_fn(|_: http::Request<Body>| {
//!     std::future::pending::<Result<http::Response<Body>, outrigger::Error>>()
//! });
//! let mut service = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(8)))
//!     .service(hangs);
//!
//! let error = service.ready().await?.call(http::Request::new(Body::empty())).await.unwrap_err();
//! assert_eq!(error.to_string(), "call timed out after 8s");
//! # Ok(()) }
//! ```

mod around;
mod layer;

pub use around::DeadlinePattern;
pub use layer::{Deadline, DeadlineLayer};
