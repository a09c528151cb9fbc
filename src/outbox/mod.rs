//! A durable queue of calls.

mod columns;
mod dead_letter;
mod error;
mod id;
mod input;
mod memory;
mod message;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
mod schedule;
mod settlement;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod stats;
mod store;
mod stored;
mod ticket;
mod time;

pub use columns::{Dialect, InsertStatement, SqlValue};
pub use dead_letter::{Acted, Action, Filter, Page, Selection};
pub use error::{OutboxError, OutboxErrorKind};
pub use id::{InvalidMessageId, MessageId};
pub use input::{Applied, Effect, ExpiredKey, Input, Outcome};
pub use memory::{MemoryHook, MemoryStore};
pub use message::Message;
/// The version of rusqlite whose types stand in this module.
#[cfg(feature = "sqlite")]
pub use rusqlite;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresHook, PostgresHookFuture, PostgresStore};
pub use schedule::Schedule;
#[cfg(feature = "sqlite")]
pub use sqlite::{SQLITE_MIGRATIONS, SqliteHook, SqliteStore};
/// The version of tokio-postgres whose types stand in this module.
#[cfg(feature = "postgres")]
pub use tokio_postgres;
pub use state::{Lease, Progress};
pub use stats::LaneStats;
pub use store::{
    ClaimRequest, Claimed, DeadHead, Enqueued, LeaseRef, Pause, PausedBy, Reaped, Recovered,
    Report, Settled, Settlement, Store, StoreFuture,
};
pub use stored::{Act, Answer, Attempt, Content, History, NewMessage, StoredMessage};
pub use ticket::{Ticket, TicketState};
pub use time::Timestamp;

pub use crate::terms::outbox::{DeadReason, Phase, Priority, Refusal, State};
