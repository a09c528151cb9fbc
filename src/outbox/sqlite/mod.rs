//! A store in one SQLite file.
//!
//! One thread has the only connection that writes. It puts all that waits for it into one transaction, and
//! answers when that is committed, with its data on the disk (`synchronous = FULL`). So 32 callers at once
//! cost about as many syncs as one.

mod browse;
mod claim;
mod connection;
mod group;
mod ops;
mod people;
mod place;
mod reader;
mod row;
mod store;
mod tenants;

#[cfg(test)]
mod tests;

pub use store::{SqliteHook, SqliteStore};

/// The statement that stores a message. It changes no row for a duplicate.
pub(crate) const INSERT: &str = include_str!("sql/insert.sql");

/// What makes the tables, in order: those who keep their schema themselves run what is new to them. The
/// store does it by itself when it is opened.
pub const SQLITE_MIGRATIONS: &[&str] = &[
    include_str!("sql/migration_1.sql"),
    include_str!("sql/migration_2.sql"),
    include_str!("sql/migration_3.sql"),
    include_str!("sql/migration_4.sql"),
];
