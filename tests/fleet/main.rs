//! A fleet: what all instances obey, on a real PostgreSQL.
//!
//! `cargo test --features fleet,json,test-util --test fleet`

#![expect(clippy::disallowed_methods, reason = "tests have a clock of their own")]

mod bench;
mod hints;
mod process;
mod provider;
mod shares;
mod steering;

#[path = "../outbox/postgres/server.rs"]
#[expect(dead_code, reason = "the outbox's tests use all of it")]
mod server;
