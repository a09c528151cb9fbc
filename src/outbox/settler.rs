//! Settles in batches, and keeps what can't be stored until the store is back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::error::OutboxError;
use super::inner::{Inner, ToSettle};
use super::store::{Settled, Settlement};
use crate::rt;

/// Settles until nobody can send any more. What waits here is bounded by what is under way, because each
/// delivery keeps its place until it is settled.
pub(super) async fn run(inner: Arc<Inner>, waiting: &mut mpsc::Receiver<ToSettle>) {
    let mut batch = Vec::with_capacity(LARGEST);
    while waiting.recv_many(&mut batch, LARGEST).await > 0 {
        let settlements: Vec<_> = batch.iter().map(|one| one.settlement.clone()).collect();
        match settle(&inner, &settlements).await {
            Ok(settled) => {
                for (one, settled) in batch.drain(..).zip(settled) {
                    let _ = one.done.send(Some(settled));
                }
            }
            // One of them can't be stored: the others must not share its fate.
            Err(_) => {
                for one in batch.drain(..) {
                    let settled = settle(&inner, std::slice::from_ref(&one.settlement)).await;
                    let settled = settled.ok().and_then(|mut settled| settled.pop());
                    let _ = one.done.send(settled);
                }
            }
        }
        inner.settled.send_modify(|batches| *batches = batches.wrapping_add(1));
    }
}

/// Tries until it is done or can't be done.
async fn settle(inner: &Inner, settlements: &[Settlement]) -> Result<Vec<Settled>, OutboxError> {
    let mut wait = SHORTEST;
    loop {
        match inner.store.settle(settlements.to_vec()).await {
            Err(error) if error.is_transient() => {
                rt::sleep_until(rt::after(rt::now(), inner.rng.about(wait))).await;
                wait = (wait * 2).min(LONGEST);
            }
            done => return done,
        }
    }
}

/// As many as share a transaction well.
const LARGEST: usize = 64;
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
