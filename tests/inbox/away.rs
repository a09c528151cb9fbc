use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use outrigger::outbox::{
    Acted, Action, ClaimRequest, Claimed, Enqueued, Filter, History, LaneStats, LeaseRef,
    MemoryStore, MessageId, NewMessage, OutboxError, Page, Pause, Reaped, Selection, Settled,
    Settlement, Store, StoreFuture, StoredMessage, Timestamp,
};
use outrigger::rt::Rng;

/// A store in memory that can be told to fail, or to say nothing at all. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Away {
    inner: MemoryStore,
    mode: Arc<AtomicU8>,
}

impl Away {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self { inner, mode: Arc::new(AtomicU8::new(HERE)) }
    }

    pub(crate) fn come_back(&self) {
        self.mode.store(HERE, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self) {
        self.mode.store(FAILS, Ordering::SeqCst);
    }

    pub(crate) fn hang(&self) {
        self.mode.store(HANGS, Ordering::SeqCst);
    }

    fn go<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        match self.mode.load(Ordering::SeqCst) {
            HERE => work(&self.inner),
            FAILS => Box::pin(async { Err(self.error().await) }),
            _ => Box::pin(std::future::pending()),
        }
    }

    /// Only stores make errors: this is one of the store in memory, about a message that it doesn't have.
    async fn error(&self) -> OutboxError {
        let id: MessageId = "01890000-0000-7000-8000-000000000000".parse().expect("an id");
        let new = outrigger::outbox::Message::post("/").build("any", Timestamp(0), &Rng::seeded(1));
        let edited = new.expect("it is whole");
        let edited = self.inner.edit(id, edited, "ada".into(), "a test".into()).await;
        edited.expect_err("there is no such message")
    }
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $output:ty;)+) => {
        impl Store for Away {
            $(fn $name(&self $(, $argument: $kind)*) -> StoreFuture<'_, $output> {
                self.go(move |inner| inner.$name($($argument),*))
            })+

            fn has_hook(&self, lane: &str) -> bool {
                self.inner.has_hook(lane)
            }
        }
    };
}

forward! {
    now() -> Timestamp;
    enqueue(messages: Vec<NewMessage>) -> Vec<Enqueued>;
    claim(request: ClaimRequest) -> Claimed;
    extend(leases: Vec<LeaseRef>, lease: Duration) -> Vec<bool>;
    keep_request(first: LeaseRef, request: Bytes) -> bool;
    members(batch: MessageId) -> Vec<StoredMessage>;
    settle(settlements: Vec<Settlement>) -> Vec<Option<Settled>>;
    reap(most: usize) -> Reaped;
    recover() -> Reaped;
    pause(pause: Pause) -> ();
    resume(lane: String, who: String, why: String) -> ();
    stats(lane: String) -> LaneStats;
    browse(filter: Filter, page: Page) -> Vec<StoredMessage>;
    get(id: MessageId) -> Option<History>;
    act(on: Selection, action: Action, who: String, why: String) -> Acted;
    edit(id: MessageId, edited: NewMessage, who: String, why: String) -> ();
    prune(before: Timestamp, most: usize) -> usize;
}

const HERE: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;
