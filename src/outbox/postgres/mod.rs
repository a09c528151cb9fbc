//! A store in PostgreSQL, for as many processes as you like.
//!
//! ```no_run
//! use outrigger::outbox::{Message, Outbox, postgres::PostgresStore};
//! # async fn start(mailer: &outrigger::Integration) -> Result<(), Box<dyn std::error::Error>> {
//! let store = PostgresStore::no_tls("postgres://jobs@localhost/shop")?;
//! store.migrate().await?;
//! let outbox = Outbox::postgres(store).lane(mailer).build()?;
//! outbox.enqueue(Message::post("https://api.mailer.example/mails")).await?;
//! outbox.run().await?;
//! # Ok(()) }
//! ```
//!
//! TLS is yours: [`PostgresStore::connect_by`] takes a function that makes connections, with the TLS library
//! and the credentials that you use already.
//!
//! # What it needs of the database
//!
//! PostgreSQL 12 or later (tested with 15), no extension, and encoding UTF-8. All times that are compared are the database's
//! own, so the clocks of the machines needn't agree. The tables `message`, `attempt`, `act`, `lane` and `meta`
//! and the functions `enqueue` and `now_millis` stand in a schema of their own, by default `outrigger`.
//!
//! [`PostgresStore::migrate`] makes them, and needs the right to create a schema, or to create in an existing
//! one. Whoever keeps the schema by hand runs the texts of [`PostgresStore::migrations`] in order: `meta` says
//! which version is there. Columns are only added, so that processes of two versions can work at the same time.
//!
//! Leave autovacuum on, as it is by default. How many messages of a lane are dead is then counted in an index alone; where it has not been
//! yet, each of them is read. A lane's page of the console with 50,000 dead messages takes 20 ms then, and 80 to 150 ms in the minute before
//! (on a busy machine with two cores).
//!
//! | who | rights |
//! |---|---|
//! | workers, consoles | `USAGE` on the schema and on its sequences; `SELECT`, `INSERT`, `UPDATE`, `DELETE` on its tables |
//! | who only enqueues | `USAGE` on the schema and on `message_seq`; `SELECT`, `INSERT` on `message`, and `UPDATE (dedup_until)` with a [window](crate::outbox::Message::dedup_window) |
//!
//! The table `refresh_token` of `PostgresTokenStore` (feature `oauth`) stands beside them, and by itself.
//!
//! # In a transaction of yours
//!
//! [`Message::insert_statement`](crate::outbox::Message::insert_statement) makes SQL with `$1` and plain
//! parameters for any driver. It answers with one row: `stored_id`, `stored_key`, `is_duplicate`. For a
//! duplicate these are of the message that is there already; nothing is raised.
//!
//! - It waits for another transaction that has stored the same idempotency key or business key and is still open.
//! - A message with an order key holds a lock on that key until your transaction ends
//!   (`pg_advisory_xact_lock`), so that messages of a key are seen in the order in which they were stored.
//!   Keep such transactions short, and enqueue for several keys always in the same order of keys, or PostgreSQL
//!   ends one of two transactions as deadlocked.
//! - The locks of one transaction are limited by the server's `max_locks_per_transaction`: by default, thousands
//!   of different order keys in one transaction are too many.
//!
//! [`PostgresStore::on_delivered`] (and that of the builder) is the other half: a function of yours that writes in the transaction that
//! marks a message delivered.
//!
//! ```no_run
//! # fn hook(store: outrigger::outbox::postgres::PostgresStore) -> outrigger::outbox::postgres::PostgresStore {
//! store.on_delivered("stripe", |tx, message, answer| {
//!     Box::pin(async move {
//!         let charge = std::str::from_utf8(&answer.body)?;
//!         let order = message.content.order_key.as_deref();
//!         tx.execute("UPDATE orders SET charge = $1 WHERE id = $2", &[&charge, &order]).await?;
//!         Ok(())
//!     })
//! })
//! # }
//! ```
//!
//! # Connections
//!
//! At most 4 by default, or as many as a [`PostgresPool`] has that several share, made when they are first needed. One that is lost is made anew: what was not committed
//! is done again at once, and a call waits up to 5 s for a server that restarts. After that it is a transient
//! error ([`OutboxError::is_transient`](crate::outbox::OutboxError::is_transient)), and workers go on trying. If a
//! connection is lost during a commit, nobody knows whether it was done: to enqueue the same message again stores
//! nothing twice.
//! A transaction that takes longer than 30 s is given up; what a person asks for, 10 minutes.
//!
//! PgBouncer in transaction mode works: there are no session locks, no `LISTEN`, and no named prepared
//! statements.
//!
//! # How it works
//!
//! Callers that enqueue at the same time share a statement, and so a sync of the server's disk, unless their
//! messages have an order key or a key of their own, which may make them wait for another transaction.
//!
//! A claim locks due rows with `FOR UPDATE SKIP LOCKED`, so that workers don't wait for each other, and changes
//! all of them in one statement; so do settlements. A unique index makes sure that one message of an order key
//! is with a worker at a time. One worker at a time takes back leases that are over
//! (`pg_try_advisory_xact_lock`). Leases are only taken back when their time is over: the name of a process
//! doesn't prove that it has ended.

mod browse;
mod change;
mod error;
mod group;
mod hook;
mod migrate;
mod people;
mod pool;
mod shared_pool;
mod statements;
mod store;
mod tenants;
#[cfg(feature = "oauth")]
mod tokens;
mod unheard;
mod values;
mod worker;

pub use hook::{PostgresHook, PostgresHookFuture};
pub use shared_pool::PostgresPool;
pub use store::PostgresStore;
#[cfg(feature = "oauth")]
pub use tokens::{PostgresTokenLease, PostgresTokenStore};

pub(crate) use statements::{INSERT, in_schema, quoted};
pub(crate) use values::enqueue_values;

// What a fleet stands on, too.
#[cfg(feature = "fleet")]
pub(crate) use self::{
    error::Failure,
    migrate::migrate,
    pool::{Pool, run},
    values::Param,
};
#[cfg(feature = "fleet")]
pub(crate) use crate::outbox::row::SqlRow;
