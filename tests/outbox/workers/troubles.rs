//! A store that is away, a clock that is another's, a backlog.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use outrigger::outbox::{
    Acted, Action, ClaimRequest, Claimed, Enqueued, Filter, History, Lane, LaneStats, LeaseRef,
    MemoryStore, MessageId, NewMessage, Outbox, OutboxError, OutboxErrorKind, Page, Pause, Reaped,
    Selection, Settled, Settlement, Store, StoreFuture, StoredMessage, TicketState, Timestamp,
    UnknownOutcome,
};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, ManualClock};

use super::bench::{Running, integration, mail, memory, provider, secs, sleep, start};

/// A store that does to each call what a test says, by the call's name.
#[derive(Clone)]
pub(super) struct Unreliable {
    store: MemoryStore,
    fate: Arc<dyn Fn(&'static str) -> Fate + Send + Sync>,
    /// A message whose row is locked: no batch that has it can be settled.
    pub(super) locked: Arc<Mutex<Option<MessageId>>>,
}

/// What becomes of a call to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Works,
    Refused,
    /// By an error that doesn't pass for one that may pass.
    Broken,
    /// It is done, and a connection that breaks loses the answer.
    DoneAndRefused,
    /// As if the process ended before it, or after it.
    EndsBefore,
    EndsAfter,
}

fn away<T: Send + 'static>() -> Result<T, OutboxError> {
    // The only public way to such an error is a store that has it.
    let missing = std::env::temp_dir().join("outrigger-no-such-folder").join("jobs.db");
    let error = match outrigger::outbox::SqliteStore::open(missing) {
        Err(error) => error,
        Ok(_) => unreachable!("the folder doesn't exist"),
    };
    assert_eq!(error.kind(), OutboxErrorKind::Unavailable);
    Err(error)
}

fn broken() -> OutboxError {
    let error = mail("1").max_attempts(0).build("mailer", Timestamp(0), &Rng::seeded(1));
    let error = error.expect_err("it has no attempts");
    assert!(!error.is_transient());
    error
}

impl Unreliable {
    pub(super) fn new(fate: impl Fn(&'static str) -> Fate + Send + Sync + 'static) -> Self {
        let store = MemoryStore::new().clock(clock());
        Self { store, fate: Arc::new(fate), locked: Arc::default() }
    }

    fn with_fate<'a, T: Send + 'static>(
        &self,
        call: &'static str,
        done: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        let fate = (self.fate)(call);
        if fate == Fate::Works {
            return done();
        }
        let done = matches!(fate, Fate::DoneAndRefused | Fate::EndsAfter).then(done);
        Box::pin(async move {
            if let Some(done) = done {
                done.await?;
            }
            match fate {
                Fate::EndsBefore | Fate::EndsAfter => std::future::pending().await,
                Fate::Broken => Err(broken()),
                _ => away(),
            }
        })
    }
}

pub(super) fn clock() -> Clock {
    Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000))
}

impl Store for Unreliable {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        self.store.now()
    }
    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        self.with_fate("enqueue", || self.store.enqueue(messages))
    }
    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        self.with_fate("claim", || self.store.claim(request))
    }
    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.with_fate("extend", || self.store.extend(leases, lease))
    }
    fn keep_request(&self, first: LeaseRef, request: Bytes) -> StoreFuture<'_, bool> {
        self.with_fate("keep_request", || self.store.keep_request(first, request))
    }
    fn members(&self, batch: MessageId) -> StoreFuture<'_, Vec<StoredMessage>> {
        self.store.members(batch)
    }
    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Option<Settled>>> {
        let locked = *self.locked.lock().unwrap();
        if settlements.iter().any(|one| Some(one.lease.id) == locked) {
            return Box::pin(async { away() });
        }
        self.with_fate("settle", || self.store.settle(settlements))
    }
    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        self.with_fate("reap", || self.store.reap(most))
    }
    fn recover(&self) -> StoreFuture<'_, Reaped> {
        self.store.recover()
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
        self.store.browse(filter, page)
    }
    fn find(&self, id: MessageId) -> StoreFuture<'_, Option<StoredMessage>> {
        self.with_fate("find", || self.store.find(id))
    }
    fn get(&self, id: MessageId) -> StoreFuture<'_, Option<History>> {
        self.store.get(id)
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
        self.store.edit(id, edited, who, why)
    }
    fn prune(&self, before: Timestamp, most: usize) -> StoreFuture<'_, usize> {
        self.store.prune(before, most)
    }
    fn has_hook(&self, _: &str) -> bool {
        false
    }
}

pub(super) fn lane(script: &outrigger::testing::Script) -> Lane {
    Lane::new(&integration("mailer", script)).unknown_outcome(UnknownOutcome::Resend)
}

pub(super) fn running(store: &Unreliable, script: &outrigger::testing::Script) -> Running {
    start(Outbox::with_store(store.clone()).clock(clock()).lane(lane(script)).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_loses_nothing_and_sends_nothing_twice() {
    for fate in [Fate::Refused, Fate::DoneAndRefused] {
        let (is_away, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (goes_away, counts) = (Arc::clone(&is_away), Arc::clone(&refused));
        let store = Unreliable::new(move |_| match goes_away.load(Ordering::SeqCst) {
            false => Fate::Works,
            true => {
                counts.fetch_add(1, Ordering::SeqCst);
                fate
            }
        });
        let script = provider([Answer::status(200).after(secs(5))]);
        let running = running(&store, &script);
        let mut tickets = Vec::new();
        for _ in 0..20 {
            tickets.push(running.enqueue(mail("1")).await);
        }
        sleep(1).await;
        is_away.store(true, Ordering::SeqCst);
        // What is sent now is answered while the store is away, for less than a lease.
        sleep(50).await;
        assert!(refused.load(Ordering::SeqCst) > 5);
        let refused = running.outbox.enqueue(mail("2")).await.unwrap_err();
        assert!(refused.is_transient());
        is_away.store(false, Ordering::SeqCst);
        for ticket in &tickets {
            let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
            assert!(matches!(state, TicketState::Delivered { .. }), "{fate:?} {state:?}");
        }
        // A claim whose answer was lost is an attempt whose outcome nobody knows: it was never sent.
        let mut keys: Vec<_> =
            script.requests().iter().map(|it| it.headers()["idempotency-key"].clone()).collect();
        let sent = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(sent, keys.len(), "nothing is sent twice");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_goes_by_the_stores_clock() {
    // The worker's is an hour behind.
    let store = Unreliable::new(|_| Fate::Works);
    let script = provider([500, 200].map(Answer::status));
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000 - 3_600));
    let outbox = Outbox::with_store(store).clock(clock).lane(lane(&script)).build().unwrap();
    let running = start(outbox);
    let began = tokio::time::Instant::now();
    let ticket = running.enqueue(mail("1")).await;
    let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    let took = began.elapsed();
    assert!(took > Duration::from_millis(900) && took < secs(10), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_of_one_lane_delays_no_other() {
    let (down, works) = (provider([Answer::status(503)]), provider([Answer::status(200)]));
    let outbox = memory()
        .lane(&integration("crm", &down))
        .lane(&integration("mailer", &works))
        .build()
        .unwrap();
    for _ in 0..2_000 {
        outbox.enqueue(mail("1").lane("crm")).await.unwrap();
    }
    let running = start(outbox);
    sleep(20).await;
    let began = tokio::time::Instant::now();
    let ticket = running.enqueue(mail("2").lane("mailer")).await;
    running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(began.elapsed() < secs(1));
    let dead = running.outbox.stats("crm").await.unwrap().dead;
    assert_eq!(dead, BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn wherever_a_process_ends_its_message_is_delivered_with_one_key() {
    for (call, fate, requests, outcomes) in [
        ("claim", Fate::EndsBefore, 1, &["delivered"][..]),
        // Claimed, and not sent.
        ("claim", Fate::EndsAfter, 1, &["unknown", "delivered"]),
        // Answered, and not settled.
        ("settle", Fate::EndsBefore, 2, &["unknown", "delivered"]),
        // Settled, and not told.
        ("settle", Fate::EndsAfter, 1, &["delivered"]),
    ] {
        let has_ended = AtomicBool::new(false);
        let store = Unreliable::new(move |now| match now == call {
            true if !has_ended.swap(true, Ordering::SeqCst) => fate,
            _ => Fate::Works,
        });
        let script = provider([Answer::status(200)]);
        let plain = Outbox::with_store(store.clone()).clock(clock()).build().unwrap();
        let ticket = plain.enqueue(mail("1").lane("mailer")).await.unwrap();
        let first = running(&store, &script);
        sleep(1).await;
        first.kill().await;
        let second = running(&store, &script);
        let state = second.outbox.wait(ticket.id, secs(600)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{call} {fate:?} {state:?}");
        assert_eq!(script.requests().len(), requests, "{call} {fate:?}");
        let keys = script.requests().into_iter().map(|it| it.headers()["idempotency-key"].clone());
        assert!(keys.into_iter().all(|key| key == ticket.idempotency_key));
        assert_eq!(second.outcomes(ticket.id).await, outcomes, "{call} {fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_wall_clock_takes_no_message_from_its_worker() {
    for jump in [3_600_i64, -3_600] {
        let wall = ManualClock::at(SystemTime::UNIX_EPOCH + secs(1_800_000_000));
        tokio::spawn(async move {
            loop {
                sleep(1).await;
                wall.advance(secs(1));
            }
        });
        let script = provider([Answer::status(200).after(secs(25))]);
        let lane = lane(&script).call_limit(secs(50)).lease(secs(51));
        let outbox = Outbox::memory().clock(wall.clock()).lane(lane).build().unwrap();
        let running = start(outbox);
        let ticket = running.enqueue(mail("1")).await;
        sleep(5).await;
        let moved =
            wall.now() + secs(jump.max(0).unsigned_abs()) - secs(jump.min(0).unsigned_abs());
        wall.set(moved);
        sleep(60).await;
        assert_eq!(running.outcomes(ticket.id).await, ["delivered"], "{jump}");
        assert_eq!(script.begun(), 1);
    }
}
