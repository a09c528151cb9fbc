//! A fleet: what all instances obey, on a real PostgreSQL.
//!
//! `cargo test --features fleet,json,test-util --test fleet`

#![expect(clippy::disallowed_methods, reason = "tests have a clock of their own")]

mod away;
mod back;
mod bench;
#[cfg(feature = "console")]
mod console;
#[cfg(feature = "console")]
mod console_settings;
#[cfg(feature = "hyper")]
mod example;
mod hints;
mod many;
mod mishaps;
#[cfg(unix)]
mod processes;
mod settings;
mod shares;
mod steering;
#[cfg(feature = "oauth")]
mod together;

#[cfg(feature = "console")]
#[path = "../console/foreign.rs"]
mod foreign;
#[path = "../outbox/postgres/pgbouncer.rs"]
mod pgbouncer;
#[path = "../outbox/postgres/server.rs"]
mod server;
