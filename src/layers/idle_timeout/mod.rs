//! Limits the time between two frames of an answer's body.
//!
//! The limit runs from the moment the reader asks for a frame that isn't there. So a slow reader causes
//! no timeout.
//!
//! # Where it stands
//!
//! Composed [by hand](crate::integration#composed-by-hand):
//!
//! - inside everything else but [`fault_injection`](crate::fault_injection), right above the transport:
//!   only the provider's delays count, not those of a layer that holds frames back;
//! - inside [`observe`](crate::observe) and [`circuit_breaker`](crate::circuit_breaker), so that a
//!   stalled body is a failure to them.
//!
//! [`retry`](crate::retry) doesn't repeat a call whose body stalls: its caller has the head already.
//!
//! # When not to use it
//!
//! For answers with long pauses (long polls, server-sent events without heartbeats).
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `limit` | none: the layer passes bodies through | it depends on the provider |
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
//! use outrigger::{idle_timeout::IdleTimeoutLayer, fault_injection::{Plan, FaultInjectionLayer}};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(200).body("a report")]);
//! // An injected fault: each frame of the body comes 5 s late.
//! let slow = Plan::new().slow_body(Ratio::ONE, Duration::from_secs(5));
//! let service = ServiceBuilder::new()
//!     .layer(IdleTimeoutLayer::new(Duration::from_secs(3)))
//!     .layer(FaultInjectionLayer::new().allow().plan(slow))
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
