//! The outbox: what its stores promise, and what its workers do with it.
//!
//! `cargo test --features json,outbox,postgres,sqlite,test-util --test outbox`

#![cfg(feature = "outbox")]
#![expect(clippy::disallowed_methods, reason = "tests have a clock of their own")]

#[macro_use]
mod suite;
#[cfg(all(feature = "sqlite", feature = "hyper"))]
mod crash;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod workers;
