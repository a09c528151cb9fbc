//! Subscribers that turn events into spans, metrics and audit records.
//!
//! Each is given to an integration with
//! [`subscriber`](crate::IntegrationBuilder::subscriber), or to layers by an
//! [`Emitter`](crate::event::Emitter). None of them blocks a call or lets one fail.

#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "opentelemetry")]
mod current_trace;
#[cfg(any(feature = "audit", feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
mod error_type;
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "tracing"))]
mod known;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub mod metrics;
#[cfg(feature = "tracing")]
pub mod tracing;

#[cfg(feature = "opentelemetry")]
pub use current_trace::current_trace;
