use std::fmt;
use std::time::Duration;

use super::id::MessageId;
use super::time::Timestamp;
use crate::terms::outbox::DeadReason;

/// What happened to a message, or is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// A worker takes it.
    Claim {
        /// The worker process.
        owner: String,
        /// For how long.
        lease: Duration,
        /// How long the provider knows a key.
        key_lifetime: Option<Duration>,
        /// The batch in which it is sent, and how many that has, if it is in none.
        batch: Option<(MessageId, u32)>,
    },
    /// Its worker still works on it.
    Extend {
        /// Of the lease.
        token: u64,
        /// For how long from now.
        lease: Duration,
    },
    /// Its worker tells what the attempt came to.
    Settle {
        /// Of the lease.
        token: u64,
        /// What it came to.
        outcome: Outcome,
    },
    /// Its lease is over.
    LeaseOver {
        /// Of the lease.
        token: u64,
    },
    /// The process that held its lease is gone for certain, whatever the time.
    OwnerGone {
        /// Of the lease.
        token: u64,
    },
    /// Its deadline is over while it waits.
    DeadlineOver,
    /// It is called off.
    Cancel,
    /// A person wants it sent again, with its own key.
    Replay {
        /// Even if the provider has forgotten the key.
        key: ExpiredKey,
    },
    /// An edited message takes its place.
    Replace {
        /// The edited one.
        by: MessageId,
    },
    /// A person gives it up.
    Discard,
    /// Its request and answer are to be forgotten.
    Erase,
}

/// What a replay does with a key that the provider has forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiredKey {
    /// The replay is refused: the provider would do it a second time.
    #[default]
    Refuse,
    /// It is sent all the same.
    Force,
}

/// What an attempt came to. `Debug` doesn't show where a job is asked for.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The provider did it.
    Delivered {
        /// When the host's settling function is run again, if it fails now.
        hook_again: Timestamp,
    },
    /// The provider did it, and the host's settling function failed.
    HookFailed {
        /// When that is run again.
        at: Timestamp,
    },
    /// It failed, and may succeed later.
    Retry {
        /// When to try again.
        at: Timestamp,
        /// Whether the provider may have done it all the same.
        effect: Effect,
    },
    /// It failed as one of a batch for each of which the provider answered, and may succeed later, in another.
    RetryApart {
        /// When to try again.
        at: Timestamp,
    },
    /// It was not sent, or the provider asked for a pause: no attempt.
    Snooze {
        /// When to try.
        until: Timestamp,
    },
    /// The provider accepted the job and is to be asked for its result.
    Accepted {
        /// When to ask.
        at: Timestamp,
        /// Where to ask.
        uri: String,
    },
    /// It is given up for this reason.
    Dead(DeadReason),
}

/// Whether a failed attempt may have had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It had none, or the provider answered.
    None,
    /// Nobody knows: it was sent, and there was no answer.
    Unknown,
}

/// How something was done to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// As asked.
    Now,
    /// A success was told after its lease was over. A success is a fact, so it counts.
    Late,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered { hook_again } => write!(f, "Delivered({hook_again})"),
            Self::HookFailed { at } => write!(f, "HookFailed({at})"),
            Self::Retry { at, effect } => write!(f, "Retry({at}, effect: {effect:?})"),
            Self::RetryApart { at } => write!(f, "RetryApart({at})"),
            Self::Snooze { until } => write!(f, "Snooze({until})"),
            Self::Accepted { at, .. } => write!(f, "Accepted({at}, ..)"),
            Self::Dead(reason) => write!(f, "Dead({reason:?})"),
        }
    }
}
