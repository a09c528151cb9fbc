//! The inbox: what it accepts, that it records it once, and that it handles it once.
//!
//! `cargo test --features inbox,postgres,sqlite,test-util --test inbox`

#![expect(clippy::disallowed_methods, reason = "tests have a clock of their own")]

mod away;
mod bench;
mod garbage;
mod handling;
mod limits;
mod loopback;
mod message;
#[cfg(feature = "postgres")]
mod postgres;
mod recording;
mod refusals;
mod sign;
#[cfg(feature = "tracing")]
mod told;
mod vectors;
