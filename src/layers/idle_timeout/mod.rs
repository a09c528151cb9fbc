//! A limit on the silence between two frames of an answer's body.
//!
//! Only silence that the reader hears counts: the limit runs from the moment the reader asks for a
//! frame and finds none. A reader who takes a minute over each frame times nobody out.
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
//! use outrigger::idle_timeout::IdleTimeoutLayer;
//! use tower::ServiceBuilder;
//! # use outrigger::Body;
//! # let client = tower::service_fn(|_: http::Request<Body>| async {
//! #     Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
//! # });
//!
//! let service = ServiceBuilder::new()
//!     .layer(IdleTimeoutLayer::new(Duration::from_secs(3)))
//!     .service(client);
//! # let _ = service;
//! ```

mod body;
mod future;
mod layer;
mod service;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::IdleTimeoutLayer;
pub use service::IdleTimeout;
