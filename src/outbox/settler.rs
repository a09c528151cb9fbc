//! Settles in batches, and keeps what can't be stored until it can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::error::OutboxError;
use super::inner::{Inner, StoreCall, ToSettle};
use super::store::{Settled, Settlement};
use crate::rt;

/// Settles until nobody can send any more. What waits here is bounded by what is under way, because each
/// delivery keeps its place until it is settled.
pub(super) async fn run(inner: Arc<Inner>, waiting: &mut mpsc::Receiver<ToSettle>) {
    let (stuck, turns) = (AtomicUsize::new(0), Semaphore::new(ALONE));
    let settler = Arc::new(Settler { inner, stuck, turns });
    let (mut alone, mut batch) = (JoinSet::new(), Vec::with_capacity(LARGEST));
    while waiting.recv_many(&mut batch, LARGEST).await > 0 {
        let settlements: Vec<_> = batch.iter().map(|one| one.settlement.clone()).collect();
        let settled = settler.settle(settlements).await;
        while alone.try_join_next().is_some() {}
        match settled {
            Ok(settled) => {
                for (one, settled) in batch.drain(..).zip(settled) {
                    settler.tell(one, settled);
                }
            }
            // One of them may be what can't be stored: the others must not share its fate.
            Err(_) => {
                settler.stuck.fetch_add(batch.len(), Ordering::SeqCst);
                for one in batch.drain(..) {
                    alone.spawn(Arc::clone(&settler).alone(one));
                }
            }
        }
    }
}

struct Settler {
    inner: Arc<Inner>,
    /// How many are tried one by one.
    stuck: AtomicUsize,
    /// A locked row may hold one of the store's connections.
    turns: Semaphore,
}

impl Settler {
    /// Tries until it is stored.
    async fn alone(self: Arc<Self>, one: ToSettle) {
        let mut wait = SHORTEST;
        let settled = loop {
            rt::sleep_until(rt::after(rt::now(), self.inner.rng.about(wait))).await;
            wait = (wait * 2).min(LONGEST);
            let _turn = self.turns.acquire().await;
            if let Ok(mut settled) = self.settle(vec![one.settlement.clone()]).await {
                break settled.pop().flatten();
            }
        };
        self.stuck.fetch_sub(1, Ordering::SeqCst);
        self.tell(one, settled);
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
    ) -> Result<Vec<Option<Settled>>, OutboxError> {
        let settled = self.inner.store.settle(settlements).await;
        if settled.is_err() {
            self.inner.store_fails(StoreCall::Settle);
        }
        settled
    }

    /// Tells that it was stored.
    fn tell(&self, one: ToSettle, settled: Option<Settled>) {
        self.inner.waiters.changed(one.settlement.lease.id);
        let _ = one.done.send(settled);
        if self.stuck.load(Ordering::SeqCst) == 0 {
            self.inner.store_works(StoreCall::Settle);
        }
    }
}

/// As many as share a transaction well.
const LARGEST: usize = 64;
/// The most that are tried one by one at a time.
const ALONE: usize = 4;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
