//! Which messages a worker asks for, and what it gets.

use std::time::Duration;

use super::id::MessageId;
use super::input::Input;
use super::stored::{Content, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::{Phase, Priority, State};

/// A worker's question for work.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Of this lane.
    pub lane: String,
    /// For this worker process.
    pub owner: String,
    /// At most so many.
    pub most: usize,
    /// How long each lease is.
    pub lease: Duration,
    /// How long the provider knows a key that the outbox made, if it does.
    pub key_lifetime: Option<Duration>,
    /// How long it knows a [key of the host's](super::Message::idempotency_key).
    pub own_key_lifetime: Option<Duration>,
    /// What a dead message does to those behind it.
    pub dead_head: DeadHead,
    /// For a lane that sends batches, the id of a new one: what is claimed is one batch, the new one or, if the first
    /// that is due is of a batch already, all of that. A message that may have been done is claimed alone and is in none.
    pub batch: Option<MessageId>,
    /// The most messages of one tenant that are leased at a time.
    pub tenant_limit: Option<usize>,
}

impl ClaimRequest {
    /// What the claim is for one of so many messages.
    #[must_use]
    pub fn input(&self, content: &Content, of: usize) -> Input {
        let is_own = content.idempotency_key != content.id.to_string();
        Input::Claim {
            owner: self.owner.clone(),
            lease: self.lease,
            // A batch's key is the outbox's.
            key_lifetime: if is_own && self.batch.is_none() {
                self.own_key_lifetime
            } else {
                self.key_lifetime
            },
            batch: self.batch.map(|id| (id, u32::try_from(of).unwrap_or(u32::MAX))),
        }
    }

    /// The batch of the first message that is due, if it has one and this is for a lane with batches.
    pub(crate) fn known_batch(&self, due: &[StoredMessage]) -> Option<MessageId> {
        self.batch.and_then(|_| due.first()?.progress.batch_id)
    }

    /// How many of these are sent: the others are only to be settled.
    pub(crate) fn count_sent(due: &[StoredMessage]) -> usize {
        due.iter().filter(|message| message.progress.phase == Phase::Send).count()
    }

    /// Leaves those that are claimed now, of messages in the order of claims: for a lane with batches a new batch, in the
    /// order in which they were enqueued, or one message that is sent without others.
    pub(crate) fn take_new(&self, due: &mut Vec<StoredMessage>, now: Timestamp) {
        if self.batch.is_some() {
            let is_alone = |message: &StoredMessage| !message.progress.may_share(self.lease, now);
            due.retain(|message| message.progress.batch_id.is_none());
            match due.first().is_some_and(is_alone) {
                true => due.truncate(1),
                false => due.retain(|message| !is_alone(message)),
            }
        }
        due.truncate(self.most);
        if self.batch.is_some() {
            due.sort_unstable_by_key(|message| message.seq);
        }
    }
}

/// What a dead message does to those of its [order key](super::Message::order_key) that came after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadHead {
    /// They wait until a person has decided about it.
    #[default]
    Blocks,
    /// They are delivered without it.
    SteppedOver,
}

/// A worker's work.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The messages, leased.
    pub messages: Vec<StoredMessage>,
    /// When the lane's next message is due, or its pause ends, as far as the store knows. Waiting for an
    /// order key isn't counted.
    pub next_due: Option<Timestamp>,
    /// The store's time of the claim.
    pub now: Timestamp,
}

/// Names a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseRef {
    /// The message.
    pub id: MessageId,
    /// The claim.
    pub token: u64,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl LeaseRef {
    /// The present lease of a message.
    pub(crate) fn of(message: &StoredMessage) -> Self {
        Self { id: message.content.id, token: message.progress.token }
    }
}

/// Whether all messages of a batch that are open may be claimed. If one is still with a worker, what became of the batch
/// may yet be told.
pub(crate) fn are_due(batch: &[StoredMessage], now: Timestamp) -> bool {
    batch
        .iter()
        .map(|message| &message.progress)
        .all(|progress| progress.state == State::Ready && progress.not_before <= now)
}

/// Leaves the first of the messages that are due, in the order of claims.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn take_first(due: &mut Vec<StoredMessage>, most: usize) {
    due.sort_by_key(|message| {
        let start = head_start(message.content.priority);
        (message.progress.not_before.minus(start), message.seq)
    });
    due.truncate(most);
}

/// How much sooner than it came due a message counts as due, in the order of claims.
pub(crate) fn head_start(priority: Priority) -> Duration {
    match priority {
        Priority::High => 2 * STEP,
        Priority::Normal => STEP,
        Priority::Low => Duration::ZERO,
    }
}

/// How long a message waits at most for those of the next higher priority that came due after it.
const STEP: Duration = Duration::from_secs(600);
