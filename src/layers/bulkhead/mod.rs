//! Bounded concurrency with a bounded queue.
//!
//! At most so many calls are under way; so many more may wait, first come, first served, each for at
//! most so long. A place is held until the answer's body is read, breaks or is dropped: a provider
//! that streams slowly holds as many connections as one that answers slowly. A full bulkhead refuses
//! without touching the inner service.
//!
//! # When not to use it
//!
//! To keep to a provider's quota: concurrency is not a rate.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `queue` | 0 | a person is better told at once than kept waiting; jobs may wait |
//! | `queue_wait` | until the deadline | the call's own limit is the best one |
//!
//! # Errors and events
//!
//! [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) with
//! [`Rejection::Full`](crate::outcome::Rejection::Full) or
//! [`Rejection::QueueTimeout`](crate::outcome::Rejection::QueueTimeout), delivery "not sent". Events:
//! [`BulkheadQueued`](crate::event::Event::BulkheadQueued),
//! [`BulkheadRejected`](crate::event::Event::BulkheadRejected).
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use outrigger::bulkhead::BulkheadLayer;
//! use tower::ServiceBuilder;
//! # use outrigger::Body;
//! # let client = tower::service_fn(|_: http::Request<Body>| async {
//! #     Ok::<_, outrigger::Error>(http::Response::new(Body::empty()))
//! # });
//!
//! let bulkhead = BulkheadLayer::new(16).queue(64).queue_wait(Duration::from_secs(30));
//! let places = bulkhead.handle();
//! let service = ServiceBuilder::new().layer(bulkhead).service(client);
//! assert_eq!((places.in_use(), places.waiting()), (0, 0));
//! # let _ = service;
//! ```

mod adaptive;
mod config;
mod future;
mod handle;
mod layer;
mod limit;
mod places;
mod queue;
mod service;
#[cfg(test)]
mod tests;
mod watch;

pub use adaptive::Adaptive;
pub use future::ResponseFuture;
pub use handle::BulkheadHandle;
pub use layer::BulkheadLayer;
pub use limit::{Limit, Priority};
pub use places::Permit;
pub use service::Bulkhead;

#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "for who changes settings while running")
)]
pub(crate) use config::BulkheadConfig;
