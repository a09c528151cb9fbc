use std::collections::BTreeMap;

use super::store::Pause;
use super::time::Timestamp;
use crate::terms::outbox::DeadReason;

/// How a lane is. Counting takes time that grows with what is open and dead, so don't ask for each request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneStats {
    /// How many messages wait, polling ones included.
    pub ready: u64,
    /// How many of them are due.
    pub due: u64,
    /// How many are with a worker.
    pub leased: u64,
    /// How many open ones the provider has accepted, so that only their result is missing.
    pub polling: u64,
    /// How many are dead, and not replaced by an edited one, by reason.
    pub dead: BTreeMap<DeadReason, u64>,
    /// How many open ones may have had their effect already.
    pub unknown: u64,
    /// When the oldest open one was enqueued.
    pub oldest_undelivered: Option<Timestamp>,
    /// When the one that is dead for the longest time died.
    pub oldest_dead: Option<Timestamp>,
    /// The lane's pause, if it holds.
    pub paused: Option<Pause>,
}

impl LaneStats {
    /// How many dead messages wait for a person.
    #[must_use]
    pub fn dead_in_all(&self) -> u64 {
        self.dead.values().sum()
    }
}
