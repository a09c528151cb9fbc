//! Tower layers that keep a service upright while the third-party HTTP APIs it calls misbehave.

#![warn(clippy::unwrap_used)]

mod config;
mod error;
mod layers;
mod ratio;
mod spare;

pub mod backoff;
pub mod body;
pub mod context;
pub mod event;
pub mod integration;
pub mod outcome;
pub mod rt;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod transport;

pub use body::Body;
pub use config::{ConfigError, Mistake};
pub use context::IdempotencyKey;
pub use error::{BoxError, Delivery, Error, ErrorKind};
pub use integration::{Integration, IntegrationBuilder};
pub use layers::{
    bulkhead, circuit_breaker, correlation, deadline, idempotency, idle_timeout, observe, retry,
    timeout,
};
pub use ratio::Ratio;
