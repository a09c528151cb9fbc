//! One lane's worker: it looks for a free place first, and claims a message second.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::batch_delivery::BatchDelivery;
use super::deliver::Delivery;
use super::error::OutboxError;
use super::inner::{Inner, StoreCall};
use super::input::Outcome;
use super::lane::Lane;
use super::store::{ClaimRequest, Claimed, LeaseRef, Report, Settlement};
use super::stored::StoredMessage;
use crate::integration::Places;
use crate::rt::{self, until};

pub(super) struct Worker {
    inner: Arc<Inner>,
    lane: Arc<Lane>,
    stop: watch::Receiver<Option<Instant>>,
    /// Deliveries under way. Each says until when the lane should wait, if something refused.
    running: JoinSet<Option<Instant>>,
    /// Nothing is claimed before this.
    gate: Option<Instant>,
    /// How often in a row the store failed.
    failures: u32,
    /// How often in a row nothing was due.
    empty: u32,
}

/// How many messages may be claimed.
#[derive(Clone, Copy)]
struct Free {
    places: usize,
    /// From one to the next.
    interval: Option<Duration>,
}

impl Worker {
    pub(super) fn new(inner: Arc<Inner>, lane: Arc<Lane>) -> Self {
        let stop = inner.stop.subscribe();
        Self { inner, lane, stop, running: JoinSet::new(), gate: None, failures: 0, empty: 0 }
    }

    /// Works until it is to stop, and then until what is under way has ended or its time is over.
    pub(super) async fn run(mut self) {
        while self.stop.borrow().is_none() {
            self.take_ended();
            let again = match self.places() {
                Err(wait) => rt::after(rt::now(), wait),
                Ok(free) => {
                    let claimed = self.inner.store.claim(self.request(free.places)).await;
                    match self.begin(claimed, free) {
                        Some(again) => again,
                        None => continue,
                    }
                }
            };
            self.wait(again).await;
        }
        loop {
            let end = *self.stop.borrow_and_update();
            let Self { running, stop, .. } = &mut self;
            let mut sooner = pin!(stop.changed());
            let ended = poll_fn(|cx| {
                while let Poll::Ready(ended) = running.poll_join_next(cx) {
                    if ended.is_none() {
                        return Poll::Ready(true);
                    }
                }
                sooner.as_mut().poll(cx).map(|_| false)
            });
            let end = end.map(|end| rt::after(end, LAST));
            if until(end, ended).await != Some(false) {
                // What is still under way is dropped: its lease ends, and its outcome is unknown.
                return;
            }
        }
    }

    fn take_ended(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.gate = self.gate.max(ended.ok().flatten());
        }
    }

    /// How many messages may be claimed, or how long to wait before looking again.
    fn places(&self) -> Result<Free, Duration> {
        let now = rt::now();
        if let Some(gate) = self.gate.filter(|gate| *gate > now) {
            return Err(gate - now);
        }
        let free = self.lane.concurrency - self.running.len().min(self.lane.concurrency);
        let (places, interval) = match self.lane.destination.places(self.running.len()) {
            Places::None { wait } => return Err(wait.unwrap_or(POLL).clamp(SHORTEST, POLL)),
            Places::OneInAll => (usize::from(self.running.is_empty()), None),
            Places::Some { places, interval } => (places, interval),
        };
        match free.min(places).min(MOST) {
            0 => Err(POLL),
            places => Ok(Free { places, interval }),
        }
    }

    fn request(&self, most: usize) -> ClaimRequest {
        ClaimRequest {
            lane: self.lane.name.clone(),
            owner: self.inner.owner.clone(),
            most: self.lane.batch.as_ref().map_or(most, |batch| batch.most),
            lease: self.lane.lease,
            key_lifetime: self.lane.destination.key_lifetime(false),
            own_key_lifetime: self.lane.destination.key_lifetime(true),
            dead_head: self.lane.dead_head,
            tenant_limit: self.lane.tenant_limit,
            batch: self.lane.batch.is_some().then(|| self.inner.new_id()),
        }
    }

    /// Begins what was claimed. When to look again; at once if there may be more.
    fn begin(&mut self, claimed: Result<Claimed, OutboxError>, free: Free) -> Option<Instant> {
        let now = rt::now();
        let Claimed { messages, next_due, now: of_store } = match claimed {
            Ok(claimed) => claimed,
            Err(_) => {
                self.inner.store_fails(StoreCall::Claim);
                self.failures = self.failures.saturating_add(1);
                let wait = SHORTEST * (1 << self.failures.min(8));
                return Some(rt::after(now, self.inner.rng.about(wait)));
            }
        };
        self.failures = 0;
        self.inner.store_works(StoreCall::Claim);
        self.inner.follow(of_store);
        let count = match &self.lane.batch {
            None => messages.len(),
            Some(_) => usize::from(!messages.is_empty()),
        };
        self.empty = if count == 0 { self.empty.saturating_add(1) } else { 0 };
        self.start(messages);
        if let Some(interval) = free.interval {
            // No sooner than the rate lets these go, so that nothing leased waits for its turn.
            let turns = interval.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
            self.gate = self.gate.max(Some(rt::after(now, turns)));
        }
        if count == free.places || count > 0 && self.lane.batch.is_some() {
            return None;
        }
        let idle = POLL.saturating_mul(self.empty.max(1)).min(IDLE);
        let next = next_due.map_or(idle, |due| due.since(self.inner.time()).max(SHORTEST));
        Some(rt::after(now, next.min(idle)))
    }

    fn start(&mut self, mut messages: Vec<StoredMessage>) {
        let shared = || (Arc::clone(&self.inner), Arc::clone(&self.lane));
        let is_stopped = self.stop.borrow().is_some();
        if let (Some(batch), false) = (&self.lane.batch, is_stopped) {
            let is_sent = |message: &mut StoredMessage| message.progress.batch_id.is_some();
            let sent: Vec<_> = messages.extract_if(.., is_sent).collect();
            if !sent.is_empty() {
                let ((inner, lane), batch) = (shared(), batch.clone());
                self.running.spawn(BatchDelivery::new(inner, lane, batch, sent).run());
            }
        }
        for message in messages {
            let (inner, lane) = shared();
            match is_stopped {
                true => self.running.spawn(give_back(inner, lane, message)),
                false => self.running.spawn(Delivery { inner, lane, message }.run()),
            };
        }
    }

    /// Waits for the time, for a message, for the end of a delivery, or for the end.
    async fn wait(&mut self, again: Instant) {
        let Self { inner, lane, stop, running, gate, .. } = self;
        let mut woken = pin!(async {
            match inner.wakes.get(&lane.name) {
                Some(wake) => wake.notified().await,
                None => std::future::pending().await,
            }
        });
        let mut stopped = pin!(stop.changed());
        let event = poll_fn(|cx| {
            if let Poll::Ready(Some(ended)) = running.poll_join_next(cx) {
                return Poll::Ready(ended.ok().flatten());
            }
            if woken.as_mut().poll(cx).is_ready() || stopped.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            Poll::Pending
        });
        if let Some(ended) = until(Some(again), event).await {
            *gate = (*gate).max(ended);
        }
    }
}

/// It was claimed while the outbox was told to stop, and not sent.
async fn give_back(inner: Arc<Inner>, lane: Arc<Lane>, message: StoredMessage) -> Option<Instant> {
    let now = inner.time();
    let lease = LeaseRef { id: message.content.id, token: message.progress.token };
    let report =
        Report { owner: inner.owner.clone(), started: now, ended: now, ..Report::default() };
    let outcome = Outcome::Snooze { until: now };
    let settlement = Settlement { lease, outcome, report, answer: None, unkept: None };
    inner.settle(&lane, vec![settlement]).await;
    None
}

/// How long the store has, after the grace of a shutdown, to take back what was not sent.
const LAST: Duration = Duration::from_secs(1);
/// How soon a lane looks again that has work: what others enqueue is found within this time.
const POLL: Duration = Duration::from_secs(1);
/// How soon one looks again that has had none for a while: each time that nothing is due, it waits a second longer.
const IDLE: Duration = Duration::from_secs(5);
/// The shortest wait, so that a lane that can't get on doesn't spin.
const SHORTEST: Duration = Duration::from_millis(10);
/// The most messages in one claim: each is a row that is written and a task.
const MOST: usize = 256;
