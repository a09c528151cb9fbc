//! Several processes on the same tables.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use outrigger::outbox::{
    ClaimRequest, DeadHead, DeadReason, Dialect, Message, MessageId, NewMessage, Outcome, Report,
    Settlement, State, Store, StoredMessage, Timestamp,
};
use outrigger::rt::Rng;

use super::{Schema, connect};
use crate::suite::bench::{LANE, body, lease, mail, request};

pub(crate) fn new(message: Message) -> NewMessage {
    message.build(LANE, Timestamp(0), &Rng::system()).unwrap()
}

pub(crate) fn delivered(message: &StoredMessage) -> Settlement {
    Settlement {
        lease: lease(message),
        outcome: Outcome::Delivered { hook_again: Timestamp(0) },
        report: Report::default(),
        answer: None,
        unkept: None,
    }
}

#[tokio::test]
async fn two_processes_never_claim_the_same_message_nor_two_of_one_order_key() {
    let Some(schema) = Schema::new().await else { return };
    let messages = (0..400).map(|nth| match nth % 4 {
        0 => new(mail("ordered").order_key(format!("key {}", nth % 20))),
        _ => new(mail("free")),
    });
    let stores = [Arc::new(schema.store()), Arc::new(schema.store())];
    stores[0].enqueue(messages.collect()).await.unwrap();
    let workers = (0..8).map(|nth| {
        let store = Arc::clone(&stores[nth % 2]);
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let claimed = store.claim(request(LANE, 7)).await.unwrap().messages;
                let Some(first) = claimed.first() else {
                    // A lane is empty when nothing is open: others may hold the heads of keys.
                    let stats = store.stats(LANE.into()).await.unwrap();
                    if stats.ready + stats.leased == 0 {
                        return seen;
                    }
                    tokio::task::yield_now().await;
                    continue;
                };
                assert_eq!(first.progress.state, State::Leased);
                let mut keys = HashSet::new();
                let ordered =
                    claimed.iter().filter_map(|message| message.content.order_key.clone());
                ordered.for_each(|key| assert!(keys.insert(key), "two of one key at a time"));
                seen.extend(claimed.iter().map(|it| (it.content.order_key.clone(), it.seq)));
                store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
            }
        })
    });
    let mut seen = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        let part = worker.await.unwrap();
        seen.extend(part);
    }
    let distinct: HashSet<_> = seen.iter().map(|(_, seq)| *seq).collect();
    assert_eq!((seen.len(), distinct.len()), (400, 400));
}

#[tokio::test]
async fn a_success_that_meets_the_reaper_counts_once() {
    let Some(schema) = Schema::new().await else { return };
    let (one, other) = (Arc::new(schema.store()), Arc::new(schema.store()));
    one.enqueue((0..200).map(|_| new(mail("1"))).collect()).await.unwrap();
    let short = ClaimRequest { lease: Duration::ZERO, ..request(LANE, 200) };
    let claimed = one.claim(short).await.unwrap().messages;
    assert_eq!(claimed.len(), 200);
    let reaper = |store: Arc<outrigger::outbox::postgres::PostgresStore>| {
        tokio::spawn(async move {
            let mut changed = 0;
            for _ in 0..40 {
                changed += store.reap(7).await.unwrap().changed.len();
            }
            changed
        })
    };
    let reapers = [reaper(Arc::clone(&one)), reaper(Arc::clone(&other))];
    for batch in claimed.chunks(9) {
        let settled = other.settle(batch.iter().map(delivered).collect()).await.unwrap();
        assert!(
            settled.iter().flatten().all(|it| it.applied.is_some() && it.state == State::Delivered)
        );
    }
    for reaper in reapers {
        reaper.await.unwrap();
    }
    let row = schema.sql(
        "SELECT count(*) FILTER (WHERE state <> 'delivered'),
            (SELECT count(*) FROM outrigger.attempt WHERE outcome NOT IN ('delivered', 'late')),
            (SELECT count(*) FROM outrigger.attempt)
        FROM outrigger.message",
    );
    let row = schema.client.query_one(&row, &[]).await.unwrap();
    assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [0, 0, 200]);
}

#[tokio::test]
async fn the_order_of_a_key_is_that_of_commits_even_if_the_first_commits_late() {
    let Some(mut schema) = Schema::new().await else { return };
    let store = Arc::new(schema.store());
    let first = new(mail("1").order_key("a")).insert_statement(Dialect::Postgres);
    let first = first.in_schema(&schema.name);
    let (waits, others) = (schema.name.clone(), schema.store());
    let tx = schema.client.transaction().await.unwrap();
    tx.execute_raw(&*first.sql, first.params).await.unwrap();

    let second = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.enqueue(vec![new(mail("2").order_key("a"))]).await })
    };
    let watch = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event = 'advisory' AND position($1 IN query) > 0";
    // Within a transaction, a server shows its activity as it was at first.
    let watcher = connect(&schema.server.connection_string()).await;
    let is_waiting = async || -> bool {
        watcher.query_one(watch, &[&waits]).await.unwrap().get::<_, i64>(0) > 0
    };
    while !is_waiting().await && !second.is_finished() {
        tokio::task::yield_now().await;
    }
    // Another key doesn't wait.
    others.enqueue(vec![new(mail("3").order_key("b"))]).await.unwrap();
    let claimed = store.claim(request(LANE, 10)).await.unwrap().messages;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["3"]);
    assert!(!second.is_finished());

    tx.commit().await.unwrap();
    second.await.unwrap().unwrap();
    for expected in ["1", "2"] {
        let claimed = store.claim(request(LANE, 10)).await.unwrap().messages;
        assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), [expected]);
        store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
    }
}

#[tokio::test]
async fn of_two_at_once_with_one_business_key_one_is_told_the_others_id() {
    let Some(schema) = Schema::new().await else { return };
    let stores = [schema.store(), schema.store()];
    for nth in 0..20 {
        let message = || vec![new(mail("1").dedup_key(format!("welcome {nth}")))];
        let (one, other) = tokio::join!(stores[0].enqueue(message()), stores[1].enqueue(message()));
        let (one, other) = (one.unwrap().remove(0), other.unwrap().remove(0));
        assert_eq!(one.id, other.id);
        assert_ne!(one.is_duplicate, other.is_duplicate);
    }
}

#[tokio::test]
async fn a_batch_with_a_message_twice_stores_it_once_and_answers_in_order() {
    let Some(schema) = Schema::new().await else { return };
    let store = schema.store();
    let batch: Vec<_> =
        ["a", "b", "a", "c"].map(|key| new(mail("1").idempotency_key(key))).to_vec();
    let ids: Vec<MessageId> = batch.iter().map(|new| new.content.id).collect();
    let stored = store.enqueue(batch.clone()).await.unwrap();
    let told: Vec<_> = stored.iter().map(|it| (it.id, it.is_duplicate)).collect();
    assert_eq!(told, [(ids[0], false), (ids[1], false), (ids[0], true), (ids[3], false)]);
    // What was stored by a call whose answer was lost is no duplicate of itself.
    let again = store.enqueue(vec![batch[1].clone()]).await.unwrap();
    assert_eq!((again[0].id, again[0].is_duplicate), (ids[1], false));
}

#[tokio::test]
async fn of_one_order_key_only_one_is_leased_even_if_its_head_comes_back_meanwhile() {
    let Some(mut schema) = Schema::new().await else { return };
    let store = Arc::new(schema.store());
    let (first, second) = (new(mail("1").order_key("a")), new(mail("2").order_key("a")));
    store.enqueue(vec![first, second]).await.unwrap();
    let mut dead = delivered(&store.claim(request(LANE, 1)).await.unwrap().messages[0]);
    dead.outcome = Outcome::Dead(DeadReason::Rejected);
    store.settle(vec![dead]).await.unwrap();

    // Another process has replayed and claimed the first, and hasn't committed yet.
    let (lease, waits) = (schema.sql(LEASE), schema.name.clone());
    let watcher = connect(&schema.server.connection_string()).await;
    let tx = schema.client.transaction().await.unwrap();
    assert_eq!(tx.execute(&lease, &[]).await.unwrap(), 1);
    let claiming = {
        let store = Arc::clone(&store);
        let request = ClaimRequest { dead_head: DeadHead::SteppedOver, ..request(LANE, 9) };
        tokio::spawn(async move { store.claim(request).await })
    };
    let watch = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event = 'transactionid' AND position($1 IN query) > 0";
    let is_waiting = async || -> bool {
        watcher.query_one(watch, &[&waits]).await.unwrap().get::<_, i64>(0) > 0
    };
    while !is_waiting().await && !claiming.is_finished() {
        tokio::task::yield_now().await;
    }
    tx.commit().await.unwrap();
    assert!(claiming.await.unwrap().unwrap().messages.is_empty());
}

const LEASE: &str = "UPDATE outrigger.message
    SET state = 'leased', dead_reason = NULL, lease_until = 99999999999999, lease_owner = 'other'
    WHERE state = 'dead'";

#[tokio::test]
async fn callers_at_the_same_time_share_a_statement_and_not_a_failure() {
    let Some(schema) = Schema::new().await else { return };
    let store = Arc::new(schema.store());
    let call = |new: NewMessage| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.enqueue(vec![new]).await })
    };
    let first = call(new(mail("1")));
    let mut callers = Vec::new();
    for nth in 0..50 {
        // PostgreSQL's texts have no zero byte.
        let message = if nth == 20 { mail("1").template("\0") } else { mail("1") };
        let new = new(message);
        callers.push((new.content.id, call(new)));
    }
    // What a caller that leaves took along is stored all the same.
    tokio::task::yield_now().await;
    first.abort();
    for (nth, (id, caller)) in callers.into_iter().enumerate() {
        let stored = caller.await.unwrap();
        match nth {
            20 => assert!(!stored.unwrap_err().is_transient()),
            _ => assert_eq!(stored.unwrap()[0].id, id),
        }
    }
    for _ in 0..2 {
        let all = (0..20).map(|_| call(new(mail("1")))).collect::<Vec<_>>();
        for caller in all {
            assert!(!caller.await.unwrap().unwrap()[0].is_duplicate);
        }
    }
    // One statement and its transaction: what it wrote has one number.
    let count = schema.sql("SELECT count(DISTINCT xmin::text), count(*) FROM outrigger.message");
    let row = schema.client.query_one(&count, &[]).await.unwrap();
    let (transactions, stored): (i64, i64) = (row.get(0), row.get(1));
    assert!(stored >= 89 && transactions < stored, "{transactions} for {stored}");
}
