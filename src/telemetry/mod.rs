//! Subscribers that tell what happened to somebody outside: each brings events to where a team looks.

#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub mod metrics;
