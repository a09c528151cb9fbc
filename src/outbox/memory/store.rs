use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use super::ops::Inner;
use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::error::OutboxError;
use crate::outbox::hooks::Hooks;
use crate::outbox::id::MessageId;
use crate::outbox::sealing::{Seal, for_hook};
use crate::outbox::settlement::hook_error;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{
    ClaimRequest, Claimed, Enqueued, LeaseRef, Pause, Reaped, Settled, Settlement, Store,
    StoreFuture,
};
use crate::outbox::stored::{Answer, History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;
use crate::outcome::BoxError;
use crate::rt::{Clock, Lock, callback};

/// A function of the host that settles delivered messages of a lane.
pub type MemoryHook = dyn Fn(&StoredMessage, &Answer) -> Result<(), BoxError> + Send + Sync;

/// Messages in memory. Clones are the same store.
///
/// It is for tests: a crash loses everything, and each question looks at all messages.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    hooks: Hooks<MemoryHook>,
    clock: Clock,
}

impl MemoryStore {
    /// An empty store on the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock for all its times.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Settles delivered messages of a lane by this function. While it fails, it is repeated, and the call
    /// isn't.
    #[must_use]
    pub fn on_delivered<F>(mut self, lane: impl Into<String>, settle: F) -> Self
    where
        F: Fn(&StoredMessage, &Answer) -> Result<(), BoxError> + Send + Sync + 'static,
    {
        self.hooks.add(lane, Arc::new(settle));
        self
    }

    /// With settling functions that see what is sealed opened.
    pub(in crate::outbox) fn opening(mut self, seal: Option<Arc<dyn Seal>>) -> Self {
        if let Some(seal) = seal {
            self.hooks = self.hooks.map(|hook| {
                let seal = Arc::clone(&seal);
                Arc::new(move |message, answer| {
                    let (message, answer) = for_hook(&*seal, message, answer)?;
                    hook(&message, &answer)
                })
            });
        }
        self
    }

    fn time(&self) -> Timestamp {
        self.clock.wall().into()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner, Timestamp) -> T) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
    {
        let done = work(&mut self.inner.locked(), self.time());
        Box::pin(std::future::ready(Ok(done)))
    }

    fn try_with<T>(
        &self,
        work: impl FnOnce(&mut Inner, Timestamp) -> Result<T, OutboxError>,
    ) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
    {
        let done = work(&mut self.inner.locked(), self.time());
        Box::pin(std::future::ready(done))
    }
}

impl Store for MemoryStore {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        self.with(|_, now| now)
    }

    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        self.with(|inner, _| messages.into_iter().map(|new| inner.enqueue(new)).collect())
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        self.with(|inner, now| inner.claim(&request, now))
    }

    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.with(|inner, now| leases.iter().map(|held| inner.extend(held, lease, now)).collect())
    }

    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool> {
        self.with(|inner, _| inner.keep_request(&first, request))
    }

    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>> {
        self.with(|inner, _| inner.members(batch))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>> {
        self.with(|inner, now| {
            let settle = |settlement: &Settlement| {
                inner.settle(settlement, now, |message, answer| {
                    self.hooks.of(&message.content.lane).map_or(Ok(()), |hook| {
                        hook_error(callback::call("on_delivered", || hook(message, answer)))
                    })
                })
            };
            settlements.iter().map(settle).collect()
        })
    }

    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        self.with(|inner, now| inner.reap(most, now))
    }

    fn recover(&self) -> StoreFuture<'_, Reaped> {
        // Another worker may share it.
        self.with(|_, _| Reaped::default())
    }

    fn pause(&self, pause: Pause) -> StoreFuture<'_, ()> {
        self.with(|inner, now| inner.pause(pause, now))
    }

    fn resume(&self, lane: String, who: String, why: String) -> StoreFuture<'_, ()> {
        self.with(|inner, now| inner.resume(&lane, who, why, now))
    }

    fn stats(&self, lane: String) -> StoreFuture<'_, LaneStats> {
        self.with(|inner, now| inner.stats(&lane, now))
    }

    fn browse(&self, filter: Filter, page: Page) -> StoreFuture<'_, Vec<StoredMessage>> {
        self.with(|inner, _| inner.browse(&filter, page))
    }

    fn count(&self, filter: Filter) -> StoreFuture<'_, u64> {
        self.with(|inner, _| inner.count(&filter))
    }

    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        self.with(|inner, _| inner.messages.get(inner.seq_of.get(&id)?).cloned())
    }

    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>> {
        self.with(|inner, _| inner.get(id))
    }

    fn act(
        &self,
        on: Selection,
        action: Action,
        who: String,
        why: String,
    ) -> StoreFuture<'_, Acted> {
        self.with(|inner, now| inner.act(&on, action, &who, &why, now))
    }

    fn edit(
        &self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
    ) -> StoreFuture<'_, ()> {
        self.try_with(|inner, now| inner.edit(id, edited, who, why, now))
    }

    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize> {
        self.with(|inner, now| inner.prune(before, most, now))
    }

    fn has_hook(&self, lane: &str) -> bool {
        self.hooks.of(lane).is_some()
    }

    fn hooked(&self) -> Vec<String> {
        self.hooks.hooked()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("hooks", &self.hooks).finish_non_exhaustive()
    }
}
