//! The outbox: what its stores promise, and what its workers do with it.
//!
//! `cargo test --features outbox,postgres,sqlite,test-util --test outbox`

#[cfg(feature = "outbox")]
#[macro_use]
mod suite;
#[cfg(feature = "outbox")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "outbox")]
mod workers;
