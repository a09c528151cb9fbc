//! One absolute limit in clock time for a whole call.
//!
//! The deadline covers everything further in: readiness, queues, waits between attempts, every
//! attempt and the answer's body. The layer is a barrier: it reports ready at once, and a call that
//! must wait for the inner service waits under the deadline. (A timer that starts after the queue
//! let a "1 s" call take 4.5 s.) An inner service that can't get ready is how a call ends, so that
//! fallbacks and listeners further out see it.
//!
//! The soonest of these counts: the layer's own limit, a
//! [`CallDeadline`](crate::context::CallDeadline) in the request's extensions, the current
//! [`Scope`](crate::context::Scope)'s. Layers further in read it: [`retry`](crate::retry) begins no
//! wait that it can't survive, [`timeout`](crate::timeout) lets no attempt outlive it. A call whose
//! deadline has passed when it is made is not sent.
//!
//! The answer's body is cut at the deadline, whether it is silent or always has more: only its last
//! part, with which it is whole, is handed over late.
//!
//! # When not to use it
//!
//! On an answer that never ends (server-sent events): set the deadline per request there, or use
//! [`timeout`](crate::timeout) and [`idle_timeout`](crate::idle_timeout) alone.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `limit` | none: inherited deadlines only | only the caller knows how long an answer is of use |
//!
//! # Errors and events
//!
//! [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) with
//! [`Phase::Call`](crate::terms::Phase::Call). Its delivery is "not sent" if a layer here still
//! held the request and no earlier attempt had gone out, else "unknown"; "answered" once the head
//! had come and no attempt was lost before. Event: [`TimedOut`](crate::event::Event::TimedOut).
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

mod body;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::DeadlineLayer;
pub use service::Deadline;
