//! A store that is away, a clock that is another's, a backlog.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use outrigger::outbox::{
    Acted, Action, ClaimRequest, Claimed, Enqueued, Filter, History, Lane, LaneStats, LeaseRef,
    MemoryStore, MessageId, NewMessage, Outbox, OutboxError, OutboxErrorKind, Page, Pause, Reaped,
    Selection, Settled, Settlement, Store, StoreFuture, StoredMessage, TicketState, Timestamp,
    UnknownOutcome,
};
use outrigger::rt::Clock;
use outrigger::testing::Answer;

use super::bench::{Running, integration, mail, memory, provider, secs, sleep, start};

/// A store that fails while it is away. It also fails to answer what it has done, as a connection that breaks does.
#[derive(Clone)]
struct Unreliable {
    store: MemoryStore,
    is_away: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    /// What it does before it fails.
    loses_answers: Arc<AtomicBool>,
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

impl Unreliable {
    fn new() -> Self {
        let clock = Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000));
        let (is_away, refused, loses_answers) = Default::default();
        Self { store: MemoryStore::new().clock(clock), is_away, refused, loses_answers }
    }

    fn when_there<'a, T: Send + 'static>(
        &self,
        done: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if !self.is_away.load(Ordering::SeqCst) {
            return done();
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        let lost = self.loses_answers.load(Ordering::SeqCst).then(done);
        Box::pin(async move {
            if let Some(lost) = lost {
                lost.await?;
            }
            away()
        })
    }
}

impl Store for Unreliable {
    fn now(&self) -> StoreFuture<'_, Timestamp> {
        self.store.now()
    }
    fn enqueue(&self, messages: Vec<NewMessage>) -> StoreFuture<'_, Vec<Enqueued>> {
        self.when_there(|| self.store.enqueue(messages))
    }
    fn claim(&self, request: ClaimRequest) -> StoreFuture<'_, Claimed> {
        self.when_there(|| self.store.claim(request))
    }
    fn extend(&self, leases: Vec<LeaseRef>, lease: Duration) -> StoreFuture<'_, Vec<bool>> {
        self.when_there(|| self.store.extend(leases, lease))
    }
    fn settle(&self, settlements: Vec<Settlement>) -> StoreFuture<'_, Vec<Settled>> {
        self.when_there(|| self.store.settle(settlements))
    }
    fn reap(&self, most: usize) -> StoreFuture<'_, Reaped> {
        self.when_there(|| self.store.reap(most))
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

fn lane(script: &outrigger::testing::Script) -> Lane {
    Lane::new(&integration("mailer", script)).unknown_outcome(UnknownOutcome::Resend)
}

fn running(store: &Unreliable, script: &outrigger::testing::Script) -> Running {
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000));
    start(Outbox::with_store(store.clone()).clock(clock).lane(lane(script)).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_loses_nothing_and_sends_nothing_twice() {
    for loses_answers in [false, true] {
        let (store, script) = (Unreliable::new(), provider([Answer::status(200).after(secs(5))]));
        store.loses_answers.store(loses_answers, Ordering::SeqCst);
        let running = running(&store, &script);
        let mut tickets = Vec::new();
        for _ in 0..20 {
            tickets.push(running.enqueue(mail("1")).await);
        }
        sleep(1).await;
        store.is_away.store(true, Ordering::SeqCst);
        // What is sent now is answered while the store is away, for less than a lease.
        sleep(50).await;
        assert!(store.refused.load(Ordering::SeqCst) > 5);
        let refused = running.outbox.enqueue(mail("2")).await.unwrap_err();
        assert!(refused.is_transient());
        store.is_away.store(false, Ordering::SeqCst);
        for ticket in &tickets {
            let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
            assert!(matches!(state, TicketState::Delivered { .. }), "{loses_answers} {state:?}");
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
    let (store, script) = (Unreliable::new(), provider([500, 200].map(Answer::status)));
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
