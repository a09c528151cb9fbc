//! Settles in batches, and keeps what can't be stored until it can.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::error::{OutboxError, OutboxErrorKind};
use super::inner::{Inner, StoreCall, ToSettle};
use super::store::{Settled, Settlement};
use crate::rt;

/// Settles until nobody can send any more. What waits here is bounded by what is under way, because each
/// delivery keeps its place until it is settled.
pub(super) async fn run(inner: Arc<Inner>, waiting: &mut mpsc::Receiver<ToSettle>) {
    let (stuck, turns) = (AtomicUsize::new(0), Semaphore::new(ALONE));
    let settler = Arc::new(Settler { inner, stuck, turns });
    let (mut alone, mut waits) = (JoinSet::new(), VecDeque::with_capacity(LARGEST));
    let mut received = Vec::with_capacity(LARGEST);
    while waiting.recv_many(&mut received, LARGEST).await > 0 {
        waits.extend(received.drain(..));
        while !waits.is_empty() {
            let together = take_together(&mut waits);
            let all = together.iter().flat_map(|one| one.settlements.iter().cloned());
            let settled = settler.settle(all.collect()).await;
            while alone.try_join_next().is_some() {}
            match settled {
                Ok(settled) => {
                    let mut settled = settled.into_iter();
                    for one in together {
                        let own = settled.by_ref().take(one.settlements.len()).collect();
                        settler.tell(one, own);
                    }
                }
                // One of them may be what can't be stored: the others must not share its fate.
                Err(_) => {
                    settler.stuck.fetch_add(together.len(), Ordering::SeqCst);
                    for one in together {
                        alone.spawn(Arc::clone(&settler).alone(one));
                    }
                }
            }
        }
    }
}

/// As many as share a transaction well; those of one request are never parted.
fn take_together(waits: &mut VecDeque<ToSettle>) -> Vec<ToSettle> {
    let mut count = 0;
    let is_enough = |one: &ToSettle| {
        count += one.settlements.len();
        count >= LARGEST
    };
    let end = waits.iter().position(is_enough).map_or(waits.len(), |last| last + 1);
    waits.drain(..end).collect()
}

struct Settler {
    inner: Arc<Inner>,
    /// How many are tried one by one.
    stuck: AtomicUsize,
    /// A locked row may hold one of the store's connections.
    turns: Semaphore,
}

impl Settler {
    /// Tries until it is stored. Without its answers, if these can't be sealed: that the provider did it counts.
    async fn alone(self: Arc<Self>, mut one: ToSettle) {
        let (mut wait, sealed_until) = (SHORTEST, rt::after(rt::now(), SEALED_WITHIN));
        let settled = loop {
            rt::sleep_until(rt::after(rt::now(), self.inner.rng.about(wait))).await;
            wait = (wait * 2).min(LONGEST);
            let _turn = self.turns.acquire().await;
            match self.settle(one.settlements.clone()).await {
                Ok(settled) => break settled,
                Err(error)
                    if error.kind() == OutboxErrorKind::Seal && rt::now() >= sealed_until =>
                {
                    one.settlements.iter_mut().for_each(leave_out_answer);
                }
                Err(_) => {}
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
    fn tell(&self, one: ToSettle, settled: Vec<Option<Settled>>) {
        for settlement in &one.settlements {
            self.inner.waiters.changed(settlement.lease.id);
        }
        let _ = one.done.send(settled);
        if self.stuck.load(Ordering::SeqCst) == 0 {
            self.inner.store_works(StoreCall::Settle);
        }
    }
}

fn leave_out_answer(settlement: &mut Settlement) {
    if let Some(answer) = settlement.answer.take() {
        settlement.unkept = Some(answer);
        settlement.report.error = Some("its answer can't be sealed, and is not kept".to_owned());
    }
}

/// Settlements that share a transaction well.
const LARGEST: usize = 64;
/// The most that are tried one by one at a time.
const ALONE: usize = 4;
/// How long keys may be away, or a seal may fail, before what was to be sealed is not kept.
const SEALED_WITHIN: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
