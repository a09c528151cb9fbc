use std::fmt;
use std::time::Duration;

use super::id::MessageId;
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, State};

/// All of a message that changes on its way. `Debug` doesn't show where its job is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// What a worker does next.
    pub phase: Phase,
    /// Why it is dead.
    pub dead_reason: Option<DeadReason>,
    /// How many attempts were begun since it was enqueued or replayed. An attempt counts when it is
    /// claimed, so that a message that ends the process is parked.
    pub attempt: u32,
    /// The most attempts.
    pub max_attempts: u32,
    /// How often the host's settling function was begun.
    pub hook_attempts: u32,
    /// How often it was put off without an attempt.
    pub snoozes: u32,
    /// How many attempts may have had their effect without an answer, since it was enqueued or replayed.
    pub unknown: u32,
    /// How many attempts may have had their effect before it was replayed. A replay by
    /// [force](super::ExpiredKey::Force) says that none had.
    pub unknown_before: u32,
    /// It is not claimed before this.
    pub not_before: Timestamp,
    /// How long after enqueueing, or after a replay, its deadline is.
    pub max_age: Duration,
    /// When it is given up.
    pub deadline: Timestamp,
    /// Until when the provider knows its key, if that is known.
    pub key_valid_until: Option<Timestamp>,
    /// When its first attempt began.
    pub first_attempt: Option<Timestamp>,
    /// When it came to its present end.
    pub settled: Option<Timestamp>,
    /// How often it was claimed. It tells a lease from all earlier ones.
    pub token: u64,
    /// Who has it, and until when.
    pub lease: Option<Lease>,
    /// How often a person replayed it.
    pub replays: u32,
    /// The edited message that took its place.
    pub replaced_by: Option<MessageId>,
    /// Its request and answer were erased.
    pub erased: bool,
    /// Where to ask for the result, in [`Phase::Poll`] and until it has ended.
    pub poll_uri: Option<String>,
    /// How long its business key stays taken after it was delivered.
    pub dedup_window: Duration,
    /// Until when its business key is taken, once it is delivered.
    pub dedup_until: Option<Timestamp>,
    /// The batch in which it is sent, until the provider has answered for it. Its text is the batch's key. It stays if
    /// the answer came after the lease was over, so that the batch can be repeated for the others.
    pub batch_id: Option<MessageId>,
    /// How many messages that batch has.
    pub batch_size: u32,
}

/// Who has a message, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker process.
    pub owner: String,
    /// When others may take it.
    pub until: Timestamp,
}

impl Progress {
    /// A message that was enqueued at `now`.
    #[must_use]
    pub fn new(now: Timestamp, max_age: Duration, max_attempts: u32) -> Self {
        Self {
            state: State::Ready,
            phase: Phase::Send,
            dead_reason: None,
            attempt: 0,
            max_attempts,
            hook_attempts: 0,
            snoozes: 0,
            unknown: 0,
            unknown_before: 0,
            not_before: now,
            max_age,
            deadline: now.plus(max_age),
            key_valid_until: None,
            first_attempt: None,
            settled: None,
            token: 0,
            lease: None,
            replays: 0,
            replaced_by: None,
            erased: false,
            poll_uri: None,
            dedup_window: Duration::ZERO,
            dedup_until: None,
            batch_id: None,
            batch_size: 0,
        }
    }

    /// Whether the lane's policy decides if it is sent: the provider may have done it. That a person replayed
    /// it decides this for as long as the provider knows its key.
    #[must_use]
    pub fn asks_policy(&self, now: Timestamp) -> bool {
        let is_known = self.key_valid_until.is_none_or(|until| now < until);
        self.unknown > 0 || self.unknown_before > 0 && !is_known
    }

    /// Whether an attempt may have had its effect, also before it was replayed.
    pub(crate) fn may_be_done(&self) -> bool {
        self.unknown > 0 || self.unknown_before > 0
    }

    /// Whether its next attempt may be one of a batch with others: it may be repeated as often as they, and no earlier
    /// attempt of its own has to be dealt with.
    pub(crate) fn may_share(&self, lease: Duration, now: Timestamp) -> bool {
        let is_last = self.attempt.saturating_add(1) >= self.max_attempts;
        self.phase != Phase::Send
            || !self.may_be_done() && !is_last && self.deadline > now.plus(lease)
    }

    /// How often the host's settling function was begun, this time included.
    pub(crate) fn handled(&self) -> u32 {
        match self.phase {
            Phase::Handle => self.attempt,
            _ => self.hook_attempts,
        }
        .max(1)
    }

    /// Whether it is still to be delivered, or a person has to decide about it.
    pub(crate) fn is_undecided(&self) -> bool {
        match self.state {
            State::Ready | State::Leased => true,
            State::Dead => self.replaced_by.is_none(),
            State::Delivered | State::Cancelled | State::Discarded => false,
        }
    }

    /// Whether its deadline is over. None applies to what the provider has done.
    #[must_use]
    pub fn is_past_deadline(&self, now: Timestamp) -> bool {
        self.phase != Phase::Hook && self.deadline <= now
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("state", &self.state)
            .field("phase", &self.phase)
            .field("dead_reason", &self.dead_reason)
            .field("attempt", &self.attempt)
            .field("max_attempts", &self.max_attempts)
            .field("hook_attempts", &self.hook_attempts)
            .field("unknown", &self.unknown)
            .field("unknown_before", &self.unknown_before)
            .field("not_before", &self.not_before)
            .field("deadline", &self.deadline)
            .field("key_valid_until", &self.key_valid_until)
            .field("token", &self.token)
            .field("lease", &self.lease)
            .field("replays", &self.replays)
            .finish_non_exhaustive()
    }
}
