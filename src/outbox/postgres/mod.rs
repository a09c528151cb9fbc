//! A store in PostgreSQL.

mod browse;
mod change;
mod error;
mod hook;
mod migrate;
mod people;
mod pool;
mod statements;
mod store;
mod values;
mod worker;

pub use hook::{PostgresHook, PostgresHookFuture};
pub use store::PostgresStore;

pub(crate) use statements::{INSERT, in_schema, quoted};
pub(crate) use values::enqueue_values;
