use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use super::claim::take_first;
pub use super::claim::{ClaimRequest, Claimed, DeadHead, LeaseRef};
pub(crate) use super::claim::{are_due, head_start};
use super::dead_letter::{Acted, Action, Filter, Page, Selection};
use super::error::OutboxError;
use super::id::MessageId;
use super::input::{Applied, Outcome};
use super::stats::LaneStats;
use super::stored::{Answer, History, NewMessage, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, State};

/// What a store's functions return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, OutboxError>> + Send + 'a>>;

/// Where messages are kept. The crate's stores are in memory, in SQLite and in PostgreSQL.
///
/// Each function is one transaction: it is done whole or not at all, and what it returned `Ok` for survives
/// a crash. A change of a message is always [`Progress::apply`](super::Progress::apply) on the row as it is in that
/// transaction. Errors say whether the same may succeed later
/// ([`is_transient`](OutboxError::is_transient)).
pub trait Store: Send + Sync + 'static {
    /// The store's time. All times that it compares are its own.
    fn now(&self) -> StoreFuture<'_, Timestamp>;

    /// Stores messages. For one whose idempotency key is stored already, or whose business key is taken in its
    /// lane, by a message that is open or dead or by the window of one that was delivered, nothing is stored.
    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>>;

    /// Gives a worker messages that are due, each with a lease: by priority, then by the time at which they
    /// came due. Of one order key only the first is given, and only if no other is leased; of one tenant no more than its
    /// [limit](ClaimRequest::tenant_limit), those that are leased included.
    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed>;

    /// Makes leases last so long from now; says for each whether it is still held.
    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>>;

    /// Keeps the request of a batch with its first message, if that is still held; says whether it was. It is the same
    /// request at each repetition, until the provider has answered for the message.
    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool>;

    /// The messages that are still of a batch, open or not, in the order in which they were enqueued, without those that
    /// were edited.
    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>>;

    /// Records what attempts came to, in the order given, and runs the host's settling functions. For a
    /// message that isn't stored any more, nothing is done, and `None` is said.
    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>>;

    /// Takes back leases that are over, and parks waiting messages whose deadline is over: at most so many
    /// of each; with 0 it only finds out whether the store answers. It may be called by several workers at once.
    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped>;

    /// Takes back all leases, whatever their time, if the store is certain that their workers are gone:
    /// called when the workers start, and again if they were dropped or this failed. A store that can't know takes
    /// back none.
    fn recover(&self) -> StoreFuture<'_, Reaped>;

    /// The workers that began with [`recover`](Self::recover) have stopped: those of another process may begin. It
    /// must not block, and nobody waits until it is done.
    fn retire(&self) {}

    /// Stops claims in a lane until a time. A pause [by a worker](PausedBy::Worker) doesn't shorten one
    /// that holds.
    fn pause(&self, pause: Pause) -> StoreFuture<'_, ()>;

    /// Ends a lane's pause.
    fn resume(&self, lane: String, who: String, why: String) -> StoreFuture<'_, ()>;

    /// How a lane is.
    fn stats(&self, lane: String) -> StoreFuture<'_, LaneStats>;

    /// Messages in the order in which they were enqueued.
    fn browse(&self, filter: Filter, page: Page) -> StoreFuture<'_, Vec<StoredMessage>>;

    /// How many messages there are.
    fn count(&self, filter: Filter) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let (mut count, mut page) = (0, Page::first(PAGE));
            loop {
                let found = self.browse(filter.clone(), page).await?;
                let Some(last) = found.last() else { return Ok(count) };
                count += found.len() as u64;
                page = Page::after(last.seq, PAGE);
            }
        })
    }

    /// One message, without its attempts and what people did to it. Its request's headers and body may be
    /// missing: it is asked for again and again by whoever waits for the message.
    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        Box::pin(async move { Ok(self.get(id).await?.map(|history| history.message)) })
    }

    /// One message with its attempts and what people did to it.
    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>>;

    /// Does to messages what a person asks. One that refuses doesn't stop the others.
    fn act(
        &self,
        on: Selection,
        action: Action,
        who: String,
        why: String,
    ) -> StoreFuture<'_, Acted>;

    /// Stores a new message in the place of a dead one, so that it has the other's turn in the order of its
    /// key.
    fn edit(
        &self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
    ) -> StoreFuture<'_, ()>;

    /// Removes at most so many messages that were delivered, cancelled or discarded before this, with their
    /// attempts. Dead ones stay, and so do those whose business key is still taken. Returns how many were removed.
    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize>;

    /// Whether a function of the host settles this lane's messages, so that answers are needed.
    fn has_hook(&self, lane: &str) -> bool;

    /// The lanes that have such a function, so that a name that is no lane's is found, and one that was given
    /// two functions: it stands here twice. None if they aren't known.
    fn hooked(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Where a message was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The stored message: for a duplicate, the first one.
    pub id: MessageId,
    /// The stored message's key.
    pub idempotency_key: String,
    /// Whether another message was there already, and this one wasn't stored.
    pub is_duplicate: bool,
}

/// What an attempt came to, as a worker tells it.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// Whose attempt.
    pub lease: LeaseRef,
    /// What it came to.
    pub outcome: Outcome,
    /// The facts for the record.
    pub report: Report,
    /// The answer, if it is to be kept or a settling function needs it.
    pub answer: Option<Answer>,
    /// What a settling function sees in place of `answer`, and is never stored: what couldn't be [sealed](super::Seal).
    pub unkept: Option<Answer>,
}

/// The facts of an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The worker process.
    pub owner: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The answer's status.
    pub status: Option<u16>,
    /// The kind of failure.
    pub class: Option<String>,
    /// The provider's own id for the request.
    pub request_id: Option<String>,
    /// Why a function of the host's could not make the request.
    pub error: Option<String>,
}

/// What settling did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How it was applied; absent if the lease was over and nothing was changed.
    pub applied: Option<Applied>,
    /// Where the message stands now.
    pub state: State,
    /// What is done next with it.
    pub phase: Phase,
    /// Why it is dead.
    pub dead_reason: Option<DeadReason>,
}

/// What a reaper did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// The messages that were changed.
    pub changed: Vec<Recovered>,
    /// Whether there may be more.
    pub has_more: bool,
}

/// A message whose lease or deadline was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The message.
    pub id: MessageId,
    /// Its lane.
    pub lane: String,
    /// Where it stands now.
    pub state: State,
    /// Why it is dead, if it is.
    pub dead_reason: Option<DeadReason>,
}

/// A lane's pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The lane.
    pub lane: String,
    /// When it ends; [`Timestamp::NEVER`] if a person has to end it.
    pub until: Timestamp,
    /// Who paused it.
    pub by: PausedBy,
    /// Why.
    pub why: String,
}

/// Who paused a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PausedBy {
    /// A worker, because the provider asked for it or refused the credentials.
    Worker,
    /// A person.
    Person(String),
}

/// How many messages are counted at a time, where a store has no better way.
const PAGE: usize = 500;
