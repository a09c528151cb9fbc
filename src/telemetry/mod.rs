//! Subscribers that tell what happened to somebody outside: each brings events to where a team looks.

#[cfg(feature = "metrics")]
pub mod metrics;
