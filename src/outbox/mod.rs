//! A durable queue of calls.

mod builder;
mod call;
mod columns;
mod dead_letter;
mod deliver;
mod error;
mod handle;
mod id;
mod inner;
mod input;
mod lane;
mod lease;
mod memory;
mod message;
mod people;
mod polling;
#[cfg(feature = "postgres")]
pub mod postgres;
mod reaper;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
mod schedule;
mod settlement;
mod settler;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod stats;
mod store;
mod stored;
mod ticket;
mod time;
mod verdict;
mod worker;

#[cfg(feature = "sqlite")]
pub use builder::SqliteFile;
pub use builder::{OpenStore, OutboxBuilder, OwnStore};
pub use columns::{Dialect, InsertStatement, SqlValue};
pub use dead_letter::{Acted, Action, Filter, Page, Selection};
pub use error::{OutboxError, OutboxErrorKind};
pub use handle::Outbox;
pub use id::{InvalidMessageId, MessageId};
pub use input::{Applied, Effect, ExpiredKey, Input, Outcome};
pub use lane::{Lane, Probe, Probed, UnknownOutcome};
pub use memory::{MemoryHook, MemoryStore};
pub use message::Message;
pub use people::By;
pub use polling::{Polled, Polling};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresHook, PostgresHookFuture, PostgresStore};
/// The version of rusqlite whose types stand in this module.
#[cfg(feature = "sqlite")]
pub use rusqlite;
pub use schedule::Schedule;
#[cfg(feature = "sqlite")]
pub use sqlite::{SQLITE_MIGRATIONS, SqliteHook, SqliteStore};
pub use state::{Lease, Progress};
pub use stats::LaneStats;
pub use store::{
    ClaimRequest, Claimed, DeadHead, Enqueued, LeaseRef, Pause, PausedBy, Reaped, Recovered,
    Report, Settled, Settlement, Store, StoreFuture,
};
pub use stored::{Act, Answer, Attempt, Content, History, NewMessage, StoredMessage};
pub use ticket::{Ticket, TicketState};
pub use time::Timestamp;
/// The version of tokio-postgres whose types stand in this module.
#[cfg(feature = "postgres")]
pub use tokio_postgres;

pub use crate::terms::outbox::{DeadReason, Phase, Priority, Refusal, State};
