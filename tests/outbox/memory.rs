//! The suite for the store in memory.

use std::sync::Arc;

use outrigger::outbox::{MemoryHook, MemoryStore};

use crate::suite::{Bench, HOOKED, clock};

async fn open(hook: Arc<MemoryHook>) -> Bench {
    let clock = clock();
    let store = MemoryStore::new().clock(clock.clock());
    let store = store.on_delivered(HOOKED, move |message, answer| hook(message, answer));
    Bench::new(store, clock)
}

suite!(open);
