//! A limit on the silence between two frames of an answer's body.
//!
//! Only silence that the reader hears counts: the limit runs from the moment the reader asks for a
//! frame and finds none. A reader who takes a minute over each frame times nobody out.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside everything else but [`rehearsal`](crate::rehearsal), right above the transport: only
//!   the provider's silence counts, not that of a layer that holds frames back;
//! - inside [`observe`](crate::observe) and [`circuit_breaker`](crate::circuit_breaker), so that a
//!   body that fell silent is a failure to them.
//!
//! [`retry`](crate::retry) doesn't repeat a call whose body falls silent: its caller has the head
//! already.
//!
//! # When not to use it
//!
//! On answers that are silent by nature (long polls, server-sent events without heartbeats).
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `limit` | none: the layer passes bodies through | only its user knows the provider |
//!
//! # Errors and events
//!
//! The body's error is an [`Error`](crate::Error) of kind
//! [`Timeout`](crate::ErrorKind::Timeout) with
//! [`Phase::BodyIdle`](crate::terms::Phase::BodyIdle), delivery "answered". Event:
//! [`TimedOut`](crate::event::Event::TimedOut).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use http::Request;
//! use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
//! use outrigger::{Body, ErrorKind, Ratio, outcome::Phase};
//! use outrigger::{idle_timeout::IdleTimeoutLayer, rehearsal::{Plan, RehearsalLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(200).body("a report")]);
//! // A rehearsed fault: each piece of the body comes 5 s late.
//! let slow = Plan::new().slow_body(Ratio::ONE, Duration::from_secs(5));
//! let service = ServiceBuilder::new()
//!     .layer(IdleTimeoutLayer::new(Duration::from_secs(3)))
//!     .layer(RehearsalLayer::new().allow().plan(slow))
//!     .service(provider);
//!
//! let response = service.oneshot(Request::new(Body::empty())).await?;
//! assert_eq!(response.status(), 200);
//! let error = Body::new(response.into_body()).text().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
//! # Ok(()) }
//! ```

mod around;
mod layer;

pub use around::IdleTimeoutPattern;
pub use layer::{IdleTimeout, IdleTimeoutLayer};
