use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::content::close_request;
use super::seal::Seal;
use crate::outbox::dead_letter::{Acted, Action, Filter, Page, Selection};
use crate::outbox::id::MessageId;
use crate::outbox::stats::LaneStats;
use crate::outbox::store::{
    ClaimRequest, Claimed, Enqueued, LeaseRef, Pause, Reaped, Settled, Settlement, Store,
    StoreFuture,
};
use crate::outbox::stored::{History, NewMessage, StoredMessage};
use crate::outbox::time::Timestamp;

/// Any store, in which requests and answers are sealed. [`OutboxBuilder::seal`](crate::outbox::OutboxBuilder::seal) makes it;
/// it is here for what uses a store without an outbox.
///
/// Settling functions that the inner store has itself see what is sealed; those of an outbox's builder see it opened.
pub struct SealedStore {
    store: Arc<dyn Store>,
    seal: Arc<dyn Seal>,
}

impl SealedStore {
    /// Seals what this store keeps.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, seal: Arc<dyn Seal>) -> Self {
        Self { store, seal }
    }

    fn open(&self, mut messages: Vec<StoredMessage>) -> Vec<StoredMessage> {
        messages.iter_mut().for_each(|message| message.open(&*self.seal));
        messages
    }
}

impl Store for SealedStore {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        self.store.now()
    }

    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        Box::pin(async move {
            let sealed = messages.into_iter().map(|new| new.sealed(&*self.seal));
            self.store.enqueue(sealed.collect::<Result<_, _>>()?).await
        })
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        Box::pin(async move {
            let claimed = self.store.claim(request).await?;
            Ok(Claimed { messages: self.open(claimed.messages), ..claimed })
        })
    }

    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.store.extend(leases, lease)
    }

    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let sealed = close_request(&*self.seal, first.id, &request)?;
            self.store.keep_request(first, sealed).await
        })
    }

    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move { Ok(self.open(self.store.members(batch).await?)) })
    }

    fn settle(&self, mut settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>> {
        Box::pin(async move {
            for settlement in &mut settlements {
                let (answer, id) = (settlement.answer.take(), settlement.lease.id);
                settlement.answer =
                    answer.map(|answer| answer.sealed(&*self.seal, id)).transpose()?;
            }
            self.store.settle(settlements).await
        })
    }

    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        self.store.reap(most)
    }

    fn recover(&self) -> StoreFuture<'_, Reaped> {
        self.store.recover()
    }

    fn retire(&self) {
        self.store.retire();
    }

    fn pause(&self, pause: Pause) -> StoreFuture<'_, ()> {
        self.store.pause(pause)
    }

    fn resume(&self, lane: String, who: String, why: String) -> StoreFuture<'_, ()> {
        self.store.resume(lane, who, why)
    }

    fn stats(&self, lane: String) -> StoreFuture<'_, LaneStats> {
        self.store.stats(lane)
    }

    fn browse(&self, filter: Filter, page: Page) -> StoreFuture<'_, Vec<StoredMessage>> {
        Box::pin(async move { Ok(self.open(self.store.browse(filter, page).await?)) })
    }

    fn count(&self, filter: Filter) -> StoreFuture<'_, u64> {
        self.store.count(filter)
    }

    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        Box::pin(async move {
            let mut found = self.store.find(id).await?;
            found.iter_mut().for_each(|message| message.open(&*self.seal));
            Ok(found)
        })
    }

    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>> {
        Box::pin(async move {
            let mut found = self.store.get(id).await?;
            found.iter_mut().for_each(|history| history.message.open(&*self.seal));
            Ok(found)
        })
    }

    fn act(
        &self,
        on: Selection,
        action: Action,
        who: String,
        why: String,
    ) -> StoreFuture<'_, Acted> {
        self.store.act(on, action, who, why)
    }

    fn edit(
        &self,
        id: MessageId,
        edited: NewMessage,
        who: String,
        why: String,
    ) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.store.edit(id, edited.sealed(&*self.seal)?, who, why).await })
    }

    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize> {
        self.store.prune(before, most)
    }

    fn has_hook(&self, lane: &str) -> bool {
        self.store.has_hook(lane)
    }

    fn hooked(&self) -> Vec<String> {
        self.store.hooked()
    }
}

impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedStore")
    }
}
