//! The outbox: what its stores promise, and what its workers do with it.
//!
//! `cargo test --features outbox,sqlite,test-util --test outbox`

#[cfg(feature = "outbox")]
#[macro_use]
mod suite;
#[cfg(feature = "outbox")]
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
