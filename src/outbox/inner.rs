use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::lane::Lane;
use super::store::{Settled, Settlement, Store};
use super::time::Timestamp;
use crate::rt::{Clock, Rng};

/// What an outbox's handles and workers share.
pub(super) struct Inner {
    pub(super) store: Arc<dyn Store>,
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
    /// This process, for the record of attempts.
    pub(super) owner: String,
    pub(super) retention: Duration,
    /// There may be something to claim, by lane.
    pub(super) wakes: HashMap<String, Notify>,
    /// Counts settled batches, for those who wait for a message.
    pub(super) settled: watch::Sender<u64>,
    pub(super) settling: mpsc::Sender<ToSettle>,
    /// When everything has to have ended, once it is to end.
    pub(super) stop: watch::Sender<Option<Instant>>,
    pub(super) is_running: AtomicBool,
}

/// A settlement, and who waits until it is stored.
pub(super) struct ToSettle {
    pub(super) settlement: Settlement,
    pub(super) done: oneshot::Sender<Option<Settled>>,
}

impl Inner {
    /// The time of this process, for what is compared with nothing but itself.
    pub(super) fn time(&self) -> Timestamp {
        self.clock.wall().into()
    }

    pub(super) fn wake(&self, lane: &str) {
        if let Some(wake) = self.wakes.get(lane) {
            wake.notify_one();
        }
    }

    /// Stores what an attempt came to, and returns when that is done.
    pub(super) async fn settle(&self, lane: &Lane, settlement: Settlement) {
        let (done, settled) = oneshot::channel();
        // If nobody settles any more, the lease ends.
        if self.settling.send(ToSettle { settlement, done }).await.is_ok()
            && let Ok(Some(settled)) = settled.await
        {
            self.tell_settled(lane, &settled);
        }
    }

    fn tell_settled(&self, _lane: &Lane, _settled: &Settled) {}

    pub(super) fn paused(&self, _lane: &Lane, _until: Timestamp) {}
}
