use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::id::MessageId;
use super::input::Applied;
use super::lane::Lane;
use super::missing_keys::MissingKeys;
use super::store::{Recovered, Settled, Settlement, Store};
use super::time::Timestamp;
use super::waiters::Waiters;
use crate::control::LaneHealth;
use crate::event::Event;
use crate::rt::{self, Clock, Rng, until};
use crate::terms::outbox::OutboxEvent;

/// What an outbox's handles and workers share.
pub(super) struct Inner {
    pub(super) store: Arc<dyn Store>,
    pub(super) lanes: Vec<Arc<Lane>>,
    pub(super) clock: Clock,
    /// How many milliseconds the store's clock is ahead.
    pub(super) ahead: AtomicI64,
    pub(super) rng: Rng,
    /// This process, for the record of attempts.
    pub(super) owner: String,
    pub(super) retention: Duration,
    /// There may be something to claim, by lane.
    pub(super) wakes: HashMap<String, Notify>,
    pub(super) waiters: Waiters,
    /// Whether a registry asks for the lanes.
    pub(super) is_registered: bool,
    /// The lanes as they were counted last.
    pub(super) counted: Mutex<Vec<LaneHealth>>,
    pub(super) settling: mpsc::Sender<ToSettle>,
    /// When everything has to have ended, once it is to end.
    pub(super) stop: watch::Sender<Option<Instant>>,
    pub(super) is_running: AtomicBool,
    pub(super) missing_keys: MissingKeys,
    /// The calls to the store whose last try failed: a [`StoreCall`] is a bit.
    pub(super) failing: AtomicU8,
}

/// What a worker asks of the store, again and again.
#[derive(Clone, Copy)]
pub(super) enum StoreCall {
    Claim = 1,
    Settle = 2,
    Reap = 4,
}

/// Settlements that are stored in one transaction, and who waits until they are.
pub(super) struct ToSettle {
    pub(super) settlements: Vec<Settlement>,
    pub(super) done: oneshot::Sender<Vec<Option<Settled>>>,
}

impl Inner {
    /// The store's time, as far as this process knows it.
    pub(super) fn time(&self) -> Timestamp {
        let own = Timestamp::from(self.clock.wall());
        Timestamp(own.0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Learns the store's time: a database on another machine has a clock of its own.
    pub(super) fn follow(&self, of_store: Timestamp) {
        let own = Timestamp::from(self.clock.wall());
        let ahead = of_store.0.saturating_sub(own.0);
        // Less is the time that the answer took.
        let ahead = if ahead.abs() < NOISE { 0 } else { ahead };
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    pub(super) fn new_id(&self) -> MessageId {
        MessageId::new(self.time(), &self.rng)
    }

    /// Ends when what is under way has to have ended.
    pub(super) async fn grace(&self) {
        let mut stop = self.stop.subscribe();
        loop {
            let end = *stop.borrow_and_update();
            if end.is_some_and(|end| end <= rt::now()) {
                return;
            }
            // A later shutdown may make the end come sooner.
            let _ = until(end, stop.changed()).await;
        }
    }

    pub(super) fn wake(&self, lane: &str) {
        if let Some(wake) = self.wakes.get(lane) {
            wake.notify_one();
        }
    }

    /// Stores what one request came to for its messages, in one transaction, and returns when that is done. Of a message
    /// that is gone it is `None`; nothing if it can't be stored: then the leases end.
    pub(super) async fn settle(
        &self,
        lane: &Lane,
        settlements: Vec<Settlement>,
    ) -> Vec<Option<Settled>> {
        let (done, settled) = oneshot::channel();
        if self.settling.send(ToSettle { settlements, done }).await.is_err() {
            return Vec::new();
        }
        let all = settled.await.unwrap_or_default();
        for settled in all.iter().flatten() {
            if settled.applied == Some(Applied::Late) {
                lane.tell(OutboxEvent::LateSuccess);
            }
            if let (Some(_), Some(why)) = (settled.applied, settled.dead_reason) {
                lane.tell(OutboxEvent::Parked { why });
            }
        }
        all
    }

    /// Tells the subscribers of all lanes that the store fails, if they were not told.
    pub(super) fn store_fails(&self, call: StoreCall) {
        if self.failing.fetch_or(call as u8, Ordering::SeqCst) == 0 {
            self.tell_each(OutboxEvent::StoreFailing);
        }
    }

    /// Tells them that it works again, if nothing else fails.
    pub(super) fn store_works(&self, call: StoreCall) {
        if self.failing.fetch_and(!(call as u8), Ordering::SeqCst) == call as u8 {
            self.tell_each(OutboxEvent::StoreBack);
        }
    }

    /// Once for each destination, however many lanes it has.
    fn tell_each(&self, event: OutboxEvent) {
        for (at, lane) in self.lanes.iter().enumerate() {
            let is_same =
                |other: &Arc<Lane>| other.destination.emitter().is_same(lane.destination.emitter());
            if !self.lanes[..at].iter().any(is_same) {
                lane.tell(event);
            }
        }
    }

    /// Tells that a lease or a deadline was over.
    pub(super) fn recovered(&self, recovered: &Recovered) {
        let own = self.lanes.iter().find(|lane| lane.name == recovered.lane);
        match (own, recovered.dead_reason) {
            (Some(lane), Some(why)) => lane.tell(OutboxEvent::Parked { why }),
            // The process that has the lane doesn't learn of it.
            (None, Some(why)) => {
                if let Some(first) = self.lanes.first() {
                    let emitter = first.destination.emitter().renamed(&recovered.lane);
                    emitter.emit(None, || Event::Outbox(OutboxEvent::Parked { why }));
                }
            }
            (Some(lane), None) => lane.tell(OutboxEvent::Recovered),
            (None, None) => {}
        }
        self.waiters.changed(recovered.id);
        self.wake(&recovered.lane);
    }
}

/// Milliseconds in which two clocks are taken for one.
const NOISE: i64 = 100;

impl Lane {
    /// Tells the destination's subscribers.
    pub(super) fn tell(&self, event: OutboxEvent) {
        self.destination.emitter().emit(None, || Event::Outbox(event));
    }
}
