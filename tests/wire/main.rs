//! Real sockets on the loopback: what the provider sees, and what the caller is told.
//!
//! Time is real here, because sockets are; so only what happened is asserted, never how long it took.

#![expect(clippy::unwrap_used, reason = "a test fails where something isn't as it should be")]

mod bodies;
mod faults;
mod frames;
mod http1;
mod http2;
mod provider;
#[cfg(feature = "reqwest")]
mod reqwest;
mod secrets;
mod support;
