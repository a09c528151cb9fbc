//! The caller's own transactions, and the store's with the host's function in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::outbox::{DeadReason, Dialect, Outcome, Phase, SqlValue, State, Store};

use super::failures::settle_one;
use super::together::{delivered, new};
use super::{Schema, connect};
use crate::suite::bench::{HOOKED, LANE, body, mail, request};

#[tokio::test]
async fn a_message_is_stored_if_and_only_if_the_callers_transaction_is_committed() {
    let Some(mut schema) = Schema::new().await else { return };
    let store = schema.store();
    let name = schema.name.clone();
    for is_committed in [false, true] {
        let insert = mail("1").lane(LANE).idempotency_key("order-7");
        let insert = insert.insert_statement(Dialect::Postgres).unwrap().in_schema(&name);
        let tx = schema.client.transaction().await.unwrap();
        let rows = tx.query_raw(&*insert.sql, insert.params.clone()).await.unwrap();
        drop(rows);
        assert!(store.claim(request(LANE, 1)).await.unwrap().messages.is_empty());
        match is_committed {
            true => tx.commit().await.unwrap(),
            false => tx.rollback().await.unwrap(),
        }
        let stored = store.get(insert.id).await.unwrap();
        assert_eq!(stored.is_some(), is_committed);
    }
    let claimed = store.claim(request(LANE, 1)).await.unwrap().messages;
    assert_eq!(
        (body(&claimed[0]).as_str(), &*claimed[0].content.idempotency_key),
        ("1", "order-7")
    );
}

#[tokio::test]
async fn a_duplicate_raises_nothing_and_tells_the_first_ones_id() {
    let Some(mut schema) = Schema::new().await else { return };
    let first = new(mail("1").dedup_key("welcome 7"));
    schema.store().enqueue(vec![first.clone()]).await.unwrap();
    let again = new(mail("2").dedup_key("welcome 7")).insert_statement(Dialect::Postgres);
    let again = again.in_schema(&schema.name);
    let tx = schema.client.transaction().await.unwrap();
    let params: Vec<_> = again.params.iter().map(|value| value as _).collect();
    let row = tx.query_one(&*again.sql, &params).await.unwrap();
    let told: (String, String, bool) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(told, (first.content.id.to_string(), first.content.idempotency_key, true));
    tx.execute("SELECT 1", &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(schema.store().get(again.id).await.unwrap().is_none());
}

#[tokio::test]
async fn any_driver_can_pass_the_statements_parameters() {
    let Some(schema) = Schema::new().await else { return };
    let insert = new(mail("1").order_key("a")).insert_statement(Dialect::Postgres);
    let insert = insert.in_schema(&schema.name);
    // A driver asks the server for the types, or takes them from its own plain ones.
    let statement = schema.client.prepare(&insert.sql).await.unwrap();
    let wanted: Vec<_> = statement.params().iter().map(|kind| kind.name().to_owned()).collect();
    let known = insert.params.iter().map(|value| match value {
        SqlValue::Integer(_) => "int8",
        SqlValue::Bytes(_) => "bytea",
        _ => "text",
    });
    assert_eq!(wanted, known.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_a_function_writes_is_committed_with_its_message_and_its_next_one() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("CREATE TABLE outrigger.charged (message text)").await;
    let (insert, name) =
        (schema.sql("INSERT INTO outrigger.charged VALUES ($1)"), schema.name.clone());
    let store = schema.store().on_delivered(HOOKED, move |tx, message, answer| {
        let next = new(mail("receipt")).insert_statement(Dialect::Postgres).in_schema(&name);
        let insert = insert.clone();
        Box::pin(async move {
            assert_eq!((body(message).as_str(), answer.status), ("1", 0));
            tx.execute(&insert, &[&message.content.id.to_string()]).await?;
            tx.execute_raw(&*next.sql, next.params).await?;
            Ok(())
        })
    });
    let (_, settled) = settle_one(&store).await;
    assert_eq!(settled.state, State::Delivered);
    assert_eq!(charged(&schema).await, 1);
    let claimed = store.claim(request(LANE, 9)).await.unwrap().messages;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["receipt"]);
}

#[tokio::test]
async fn a_function_that_fails_leaves_nothing_and_stops_no_other_message() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("CREATE TABLE outrigger.charged (message text)").await;
    let (insert, runs) =
        (schema.sql("INSERT INTO outrigger.charged VALUES ($1)"), AtomicUsize::new(0));
    let runs = Arc::new(runs);
    let store = schema.store().on_delivered(HOOKED, move |tx, message, _| {
        let (insert, nth) = (insert.clone(), runs.fetch_add(1, Ordering::Relaxed));
        Box::pin(async move {
            tx.execute(&insert, &[&message.content.id.to_string()]).await?;
            match nth {
                0 => Err("it refuses".into()),
                1 => panic!("it fails"),
                // It hides that a statement failed.
                2 => {
                    tx.execute("SELECT 1 / 0", &[]).await.unwrap_err();
                    Ok(())
                }
                _ => Ok(()),
            }
        })
    });
    let now = store.now().await.unwrap();
    let messages =
        (0..4).map(|_| mail("1").build(HOOKED, now, &outrigger::rt::Rng::system()).unwrap());
    store.enqueue(messages.collect()).await.unwrap();
    let claimed = store.claim(request(HOOKED, 9)).await.unwrap().messages;
    let settled = store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
    let phases: Vec<_> = settled.iter().flatten().map(|it| (it.state, it.phase)).collect();
    let failed = (State::Ready, Phase::Hook);
    assert_eq!(phases, [failed, failed, failed, (State::Delivered, Phase::Send)]);
    assert_eq!(charged(&schema).await, 1);
    let history = store.get(claimed[0].content.id).await.unwrap().unwrap();
    assert_eq!(history.attempts[0].outcome, "hook_failed");
}

#[tokio::test]
async fn a_function_that_meets_other_transactions_is_run_again_before_it_has_failed() {
    for (code, meets, runs, state) in [
        ("40P01", 2, 3, State::Delivered),
        ("40001", 1, 2, State::Delivered),
        ("55P03", 9, 5, State::Ready),
        ("23514", 1, 1, State::Ready),
    ] {
        let Some(schema) = Schema::new().await else { return };
        let (ran, raise) = (Arc::new(AtomicUsize::new(0)), RAISE.replace("{code}", code));
        let counts = Arc::clone(&ran);
        let store = schema.store().on_delivered(HOOKED, move |tx, _, _| {
            let (nth, raise) = (counts.fetch_add(1, Ordering::Relaxed), raise.clone());
            Box::pin(async move {
                let raise = if nth < meets { &*raise } else { "SELECT 1" };
                Ok(tx.batch_execute(raise).await?)
            })
        });
        let (id, settled) = settle_one(&store).await;
        assert_eq!((settled.state, ran.load(Ordering::Relaxed)), (state, runs), "{code}");
        let progress = store.get(id).await.unwrap().unwrap().message.progress;
        assert_eq!(progress.hook_attempts, u32::from(state == State::Ready), "{code}");
    }
}

#[tokio::test]
async fn an_edit_that_waits_for_an_order_key_holds_no_row() {
    let Some(mut schema) = Schema::new().await else { return };
    let store = Arc::new(schema.store());
    let old = new(mail("1").order_key("a"));
    store.enqueue(vec![old.clone()]).await.unwrap();
    let mut dead = delivered(&store.claim(request(LANE, 1)).await.unwrap().messages[0]);
    dead.outcome = Outcome::Dead(DeadReason::Rejected);
    store.settle(vec![dead]).await.unwrap();

    let other = new(mail("2").order_key("a")).insert_statement(Dialect::Postgres);
    let other = other.in_schema(&schema.name);
    let (waits, lock) = (format!("\"{}\".", schema.name), schema.sql(LOCK));
    let watcher = connect(&schema.server.connection_string()).await;
    let tx = schema.client.transaction().await.unwrap();
    tx.execute_raw(&*other.sql, other.params).await.unwrap();
    let (id, editor) = (old.content.id, Arc::clone(&store));
    let editing = tokio::spawn(async move {
        let edited = new(mail("3").order_key("a"));
        editor.edit(id, edited, "ada".into(), "typo".into()).await
    });
    let is_waiting = async || -> bool {
        watcher.query_one(WAITS, &[&waits]).await.unwrap().get::<_, i64>(0) > 0
    };
    while !is_waiting().await {
        assert!(!editing.is_finished());
        tokio::task::yield_now().await;
    }
    assert_eq!(tx.query(&lock, &[]).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    editing.await.unwrap().unwrap();
}

const RAISE: &str = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$";
const LOCK: &str = "SELECT 1 FROM outrigger.message WHERE state = 'dead' FOR UPDATE NOWAIT";
const WAITS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'advisory' AND position($1 IN query) > 0";

#[tokio::test]
async fn a_late_failure_doesnt_hide_what_an_attempt_came_to() {
    let Some(schema) = Schema::new().await else { return };
    let store = schema.store();
    let first = new(mail("1"));
    store.enqueue(vec![first.clone()]).await.unwrap();
    let claimed = store.claim(request(LANE, 1)).await.unwrap().messages;
    let twice = [delivered(&claimed[0]), delivered(&claimed[0])];
    store.settle(twice.to_vec()).await.unwrap();
    let mut failed = delivered(&claimed[0]);
    failed.outcome = Outcome::Snooze { until: first.content.created };
    store.settle(vec![failed]).await.unwrap();
    let attempts = store.get(first.content.id).await.unwrap().unwrap().attempts;
    assert_eq!(attempts.iter().map(|it| it.outcome.as_str()).collect::<Vec<_>>(), ["delivered"]);
}

#[tokio::test]
async fn tables_that_are_made_by_hand_are_those_that_the_store_makes() {
    let Some(schema) = Schema::new().await else { return };
    let by_hand = format!("{}_by_hand", schema.name);
    let client = connect(&schema.server.connection_string()).await;
    client.batch_execute(&format!("CREATE SCHEMA {by_hand}")).await.unwrap();
    for migration in outrigger::outbox::postgres::PostgresStore::migrations(&by_hand) {
        client.batch_execute(&migration).await.unwrap();
    }
    let (store, other) = (schema.store().schema(&by_hand), schema.store().schema(&by_hand));
    // Several processes may start at once, on tables that are there.
    let (one, other) = tokio::join!(store.migrate(), other.migrate());
    one.and(other).unwrap();
    store.enqueue(vec![new(mail("1"))]).await.unwrap();
    let version = format!("SELECT value FROM {by_hand}.meta WHERE name = 'version'");
    assert_eq!(client.query_one(&version, &[]).await.unwrap().get::<_, i64>(0), 4);
}

async fn charged(schema: &Schema) -> i64 {
    let count = schema.sql("SELECT count(*) FROM outrigger.charged");
    schema.client.query_one(&count, &[]).await.unwrap().get(0)
}
