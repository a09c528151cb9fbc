//! A durable queue of calls: a job that has to happen survives crashes, deploys and a provider that is down
//! for a weekend.
//!
//! A message is stored first, and delivered later through its [`Integration`](crate::Integration), with its
//! breaker, rate limit and bulkhead, under one idempotency key. What can't be delivered waits for a person,
//! with everything that person needs.
//!
//! ```
//! use std::time::Duration;
//! use outrigger::outbox::{Message, Outbox, TicketState};
//! use outrigger::{Integration, testing::{Answer, Script}};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(201)]); // in place of a client
//! let mailer = Integration::background("mailer").service(provider).build()?;
//!
//! let outbox = Outbox::memory() // or, with feature `sqlite`: `Outbox::sqlite("jobs.db")`
//!     .lane(&mailer)
//!     .build()?;
//! let worker = outbox.clone();
//! tokio::spawn(async move { worker.run().await });
//!
//! let mail = Message::post("https://api.mailer.example/mails").body("to=ada@example.com");
//! let ticket = outbox.enqueue(mail).await?;
//! let state = outbox.wait(ticket.id, Duration::from_secs(60)).await?;
//! assert!(matches!(state, TicketState::Delivered { status: Some(201), .. }));
//!
//! outbox.shut_down(Duration::from_secs(10));
//! # Ok(()) }
//! ```
//!
//! # What is guaranteed
//!
//! - **Accepted means delivered or dead.** If [`enqueue`](Outbox::enqueue) returned a ticket, or your
//!   transaction with an [`insert_statement`](Message::insert_statement) was committed, the message is
//!   delivered, or it is dead and shown to people. Nothing but a person's
//!   [`Discard`](Action::Discard) removes a dead one. It holds as long as the store keeps what it has
//!   committed: SQLite's file is synced before `enqueue` returns, PostgreSQL does as it is set up; a store in memory
//!   ends with its process.
//! - **At least once, with one key.** After a crash, a message may be sent again. Each repetition has the same
//!   idempotency key and the same bytes, and there are at most as many as were under way. A provider that
//!   honours keys does it once; whether another may be asked twice is decided by the
//!   [lane](Lane::unknown_outcome). "Exactly once" is not possible over a network.
//! - **In order, per key.** Messages of one [`order_key`](Message::order_key) are delivered one at a time, in
//!   the order in which they were enqueued. Others are not ordered.
//!
//! # When not to use it
//!
//! - A person waits for the answer: call the [integration](crate::Integration::user_flow).
//! - The call only reads, or its effect is worthless when it is late.
//! - Several steps depend on each other's answers: that needs a workflow engine, whose activities can be
//!   messages.
//! - Another process must see the job at once: a lane looks for messages of others every second, every 5 s
//!   where there were none for a while ([`wake`](Outbox::wake) is for this process).
//!
//! # The states
//!
//! | from | what happens | to | if |
//! |---|---|---|---|
//! | – | enqueued | ready | no message has its key, and none that is open or dead, or within the [window](Message::dedup_window) after its delivery, has its business key in the lane; else the first one's ticket is returned |
//! | ready | claimed: attempt + 1, a new lease | leased | due, before its deadline, lane not paused, first of its order key, tenant below its [limit](Lane::tenant_limit) |
//! | leased | the provider did it | delivered | |
//! | ready, leased by another, dead, cancelled, discarded | a success is told late | delivered | always: a success is a fact |
//! | leased | failed, may pass | ready, at the next time of the [`Schedule`] | attempts and time are left |
//! | leased | failed | dead: [`Exhausted`](DeadReason::Exhausted), [`Expired`](DeadReason::Expired) | attempts are used up; the next would be past the deadline |
//! | leased | it can't be [opened](Seal) | ready, in 30 s, attempt − 1; dead: [`Sealed`](DeadReason::Sealed) | its key is missing for less than 15 minutes; else |
//! | leased | refused for good (4xx, unsendable) | dead: [`Rejected`](DeadReason::Rejected) | |
//! | leased | not sent, or 429 with a time, or 401 | ready, attempt − 1 | |
//! | leased, in a [batch](Batch) | the provider answered for each, and this one may pass | ready, at the next time of the [`Schedule`], in another batch | attempts and time are left |
//! | leased | accepted, with where to ask | ready, to poll | the lane [polls](Lane::polling); polls are no attempts |
//! | leased | delivered, but [settling](#settling) failed | ready, to settle | the function is repeated, the call isn't; used up: dead, [`HookFailed`](DeadReason::HookFailed) |
//! | cancelled, discarded | a success is told late, and [settling](#settling) failed | ready, to settle, without its business key: another may have it | |
//! | leased, nothing to send | its function failed | ready | as an attempt that failed; used up: dead, [`HookFailed`](DeadReason::HookFailed). A success that is told late counts for nothing |
//! | leased | its lease is over | ready, outcome unknown + 1 | attempts are left; else dead: [`Poison`](DeadReason::Poison) |
//! | ready, outcome unknown | claimed | leased, or dead: [`UnknownOutcome`](DeadReason::UnknownOutcome) | by the lane's [policy](Lane::unknown_outcome) |
//! | ready | its deadline is over | dead: [`Expired`](DeadReason::Expired) | |
//! | ready | a person cancels it | cancelled | |
//! | dead | a person replays it | ready: same key, attempt 0, new deadline | the provider still knows the key, or it is [forced](ExpiredKey::Force) |
//! | ready, outcome unknown before a replay | claimed after the provider has forgotten the key | leased, or dead: [`UnknownOutcome`](DeadReason::UnknownOutcome) | by the lane's policy |
//! | dead | a person edits it | dead, replaced by a new message with a new key | the provider has not done it |
//! | dead | a person discards it | discarded | |
//!
//! An attempt counts when it is claimed: so a message that ends the process that sends it is parked after
//! [`max_attempts`](Message::max_attempts). What a worker tells counts only for the lease that it has, except
//! a success. [`Progress::apply`] is this table as code, and every store uses it.
//!
//! A timeout, or a connection that breaks after the request was sent, leaves the outcome unknown. A 5xx does
//! not: it is an answer, and the message is tried again, with its key. If your provider ignores keys and may answer 500
//! after it did what was asked, give the lane [`Park`](UnknownOutcome::Park) or [`Probe`](UnknownOutcome::Probe): then a
//! 5xx to a POST leaves the outcome unknown too.
//!
//! No attempt is counted for what was not sent. While the integration is
//! [switched off](crate::kill_switch) or its rate limit pauses, nothing is claimed; while its breaker is open,
//! one message at a time finds out whether the provider answers again. After a 429 with a time, the whole lane
//! pauses, for all workers, for at least 1 s and at most 1 h; so it does for 60 s after a 401, because that is rarely about one message.
//!
//! # Settling
//!
//! A delivered message usually changes something of yours: the order is charged. `on_delivered` of the builder
//! does that in the transaction that marks the message delivered, so both happen or neither. It may enqueue what
//! follows, by an [`insert_statement`](Message::insert_statement). It doesn't run for a message that was erased. If it fails, the answer is kept with the
//! message, and the function is repeated by the schedule; the provider is not called again. It sees at most 64
//! KiB of the answer's body.
//!
//! # Enqueueing in a transaction of yours
//!
//! With the outbox in your own database, a message is stored if, and only if, your change is:
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # fn order(database: &mut outrigger::outbox::rusqlite::Connection, outbox: &outrigger::outbox::Outbox) -> Result<(), Box<dyn std::error::Error>> {
//! use outrigger::outbox::{Dialect, Message, rusqlite::params_from_iter};
//!
//! let transaction = database.transaction()?;
//! transaction.execute("INSERT INTO orders (id) VALUES (1042)", [])?;
//! let receipt = Message::post("https://api.mailer.example/mails").lane("mailer").body("order=1042");
//! let insert = receipt.insert_statement(Dialect::Sqlite)?;
//! transaction.execute(&insert.sql, params_from_iter(insert.params))?;
//! transaction.commit()?;
//! outbox.wake();
//! # Ok(()) }
//! ```
//!
//! # Encrypted at rest
//!
//! [`seal`](OutboxBuilder::seal) takes two functions of yours, a [`Seal`], and then requests and answers are encrypted
//! before they are stored, in any store. In a transaction of yours, a message is sealed by
//! [`sealed_insert_statement`](Message::sealed_insert_statement).
//!
//! # For people
//!
//! To see: [`browse`](Outbox::browse), [`history`](Outbox::history), [`stats`](Outbox::stats), each request and
//! answer redacted by [`shown`](StoredMessage::shown). To act: [`replay`](Outbox::replay),
//! [`edit`](Outbox::edit), [`act`](Outbox::act), [`pause`](Outbox::pause), [`resume`](Outbox::resume). Each act
//! has who did it and why, and is recorded. The integration's subscribers are told by [`Event::Outbox`](crate::event::Event::Outbox)
//! what needs attention: a message that is dead, one that is running out of attempts or time, a lane that
//! pauses. How lanes are stands in a [`Registry`](crate::control::Registry::lanes) as well, for whoever builds the outbox
//! with [`register`](OutboxBuilder::register). Who may ask for what is yours to decide: a ticket's id can't be guessed, and lists need an
//! authorization.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | [`Schedule`] | 1 s, 5 s, 30 s, 5 min, doubled to 1 h, ± 10 % | short troubles cost seconds; about 30 attempts a day |
//! | [`deadline`](Message::deadline) | 24 h | a provider's bad day |
//! | [`max_attempts`](Message::max_attempts) | 40 | more than the schedule makes in 24 h; it is there for messages that end the process |
//! | [`concurrency`](Lane::concurrency) | 8 a lane | the integration's bulkhead bounds it, too |
//! | [`tenant_limit`](Lane::tenant_limit) | none | who has tenants knows how many places one may take |
//! | [`call_limit`](Lane::call_limit) | 60 s | two attempts of a background integration; its own retries are off, because the outbox repeats |
//! | [`lease`](Lane::lease) | 90 s, extended at each third | half as long again as a call; how late a lost worker's message is |
//! | [`unknown_outcome`](Lane::unknown_outcome) | resend if the method is idempotent, the key is yours, or the provider is known to honour keys, while it knows the key; else park | a payment that is made twice is worse than one that waits |
//! | [`dead_head`](Lane::dead_head) | blocks its order key | order was asked for |
//! | [`retention`](OutboxBuilder::retention) | 7 days | longer than a weekend, for tickets and questions |
//!
//! # Stores
//!
//! | | processes that enqueue | worker processes | survives |
//! |---|---|---|---|
//! | [`Outbox::memory`] | one | one | nothing |
//! | `Outbox::sqlite` (feature `sqlite`) | many, on one machine | one, proven by a lock | crashes and power failures |
//! | `Outbox::postgres` (feature `postgres`) | many | many | what your server does |
//! | [`Outbox::with_store`] | | | what your [`Store`] does |
//!
//! SQLite's file must be on a local disk: network file systems are refused. At its start, the worker takes back
//! what the last one had under way, at once.

mod batch;
mod batch_delivery;
mod batch_resend;
mod builder;
mod call;
mod claim;
mod columns;
mod content;
mod dead_letter;
mod deliver;
mod destination;
mod ends;
mod error;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod gauges;
mod handle;
mod head;
mod health;
mod hooks;
mod id;
mod inner;
mod input;
mod lane;
#[cfg(feature = "serde")]
mod lane_config;
mod lease;
mod memory;
mod message;
mod missing_keys;
mod open;
mod people;
mod polling;
#[cfg(feature = "postgres")]
pub mod postgres;
mod progress;
mod reaper;
mod resend;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
mod schedule;
mod sealing;
mod settlement;
mod settler;
mod shown;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod stats;
mod store;
mod stored;
mod tenants;
mod ticket;
mod time;
mod verdict;
mod waiters;
#[cfg(any(feature = "console", feature = "inbox"))]
pub(crate) mod webhook;
mod worker;

pub use batch::{Batch, ItemVerdict};
pub use builder::OutboxBuilder;
pub use columns::{Dialect, InsertStatement, SqlValue};
pub use dead_letter::{Acted, Action, Filter, Page, Selection};
pub use error::{OutboxError, OutboxErrorKind};
pub use handle::Outbox;
pub use id::{InvalidMessageId, MessageId};
pub use input::{Applied, Effect, ExpiredKey, Input, Outcome};
pub use lane::{Lane, Probe, Probed, UnknownOutcome};
#[cfg(feature = "serde")]
pub use lane_config::LaneConfig;
pub use memory::{MemoryHook, MemoryStore};
pub use message::Message;
#[cfg(feature = "sqlite")]
pub use open::SqliteFile;
pub use open::{OpenStore, OwnStore};
pub use people::By;
pub use polling::{Polled, Polling};
pub use progress::{Lease, Progress};
/// The version of rusqlite whose types stand in this module.
#[cfg(feature = "sqlite")]
pub use rusqlite;
pub use schedule::Schedule;
pub use sealing::{Seal, Sealed, SealedStore};
pub use shown::{ShownAnswer, ShownMessage};
#[cfg(feature = "sqlite")]
pub use sqlite::{SQLITE_MIGRATIONS, SqliteHook, SqliteStore};
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

pub use crate::terms::outbox::{DeadReason, OutboxEvent, Phase, Priority, Refusal, State};
