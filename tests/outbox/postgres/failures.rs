//! Connections and servers that go away.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{
    ClaimRequest, MessageId, OutboxError, OutboxErrorKind, Settled, State, Store, StoredMessage,
};
use outrigger::rt::Rng;

use super::server::Server;
use super::together::{delivered, new};
use super::{Schema, connect};
use crate::suite::bench::{HOOKED, LANE, mail, request};

#[tokio::test]
async fn nothing_is_lost_while_connections_are_cut() {
    let Some(schema) = Schema::new().await else { return };
    let named = format!("{} application_name={}", schema.server.connection_string(), schema.name);
    let store = Arc::new(PostgresStore::no_tls(&named).unwrap().schema(&schema.name));
    let is_over = Arc::new(AtomicBool::new(false));
    let (cuts, name) = (Arc::clone(&is_over), schema.name.clone());
    let (killer, kills) =
        (connect(&schema.server.connection_string()).await, Arc::new(AtomicUsize::new(0)));
    let killed = Arc::clone(&kills);
    let killer = tokio::spawn(async move {
        let cut =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        while !cuts.load(Ordering::Relaxed) {
            killed.fetch_add(killer.query(cut, &[&name]).await.unwrap().len(), Ordering::Relaxed);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });

    let mut accepted = Vec::new();
    for _ in 0..150 {
        let new = new(mail("1"));
        let enqueued = insist(async || store.enqueue(vec![new.clone()]).await).await;
        assert!(!enqueued[0].is_duplicate);
        accepted.push(new.content.id);
        let claimed = insist(async || store.claim(request(LANE, 3)).await).await.messages;
        insist(async || store.settle(claimed.iter().map(delivered).collect()).await).await;
    }
    is_over.store(true, Ordering::Relaxed);
    killer.await.unwrap();
    assert!(kills.load(Ordering::Relaxed) > 0);
    for id in accepted {
        let stored = store.get(id).await.unwrap().expect("it was accepted").message;
        // A claim whose answer was lost keeps its lease.
        assert!(matches!(stored.progress.state, State::Delivered | State::Leased));
    }
}

#[tokio::test]
async fn a_function_whose_connection_is_cut_is_run_again_and_writes_once() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("CREATE TABLE outrigger.charged (message text)").await;
    let insert = schema.sql("INSERT INTO outrigger.charged VALUES ($1)");
    let runs = Arc::new(AtomicUsize::new(0));
    let ran = Arc::clone(&runs);
    let store = schema.store().on_delivered(HOOKED, move |tx, message, _| {
        let (insert, is_first) = (insert.clone(), ran.fetch_add(1, Ordering::Relaxed) == 0);
        Box::pin(async move {
            tx.execute(&insert, &[&message.content.id.to_string()]).await?;
            if is_first {
                let cut = tx.execute("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await;
                assert!(cut.is_err());
            }
            // It doesn't notice.
            Ok(())
        })
    });
    let (id, settled) = settle_one(&store).await;
    assert_eq!((settled.state, runs.load(Ordering::Relaxed)), (State::Delivered, 2));
    let rows = schema.client.query(&schema.sql("SELECT message FROM outrigger.charged"), &[]).await;
    let rows: Vec<String> = rows.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [id.to_string()]);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_transient_error_and_all_is_there_when_it_is_back() {
    let Some(server) = Server::start() else { return };
    let store = PostgresStore::no_tls(&server.connection_string()).unwrap();
    store.migrate().await.unwrap();
    let before = new(mail("1"));
    store.enqueue(vec![before.clone()]).await.unwrap();
    let claimed = store.claim(request(LANE, 1)).await.unwrap().messages;

    server.down();
    let (now, settling) =
        tokio::join!(store.now(), store.settle(claimed.iter().map(delivered).collect()));
    for error in [now.unwrap_err(), settling.unwrap_err()] {
        assert!(error.is_transient(), "{error:?}");
        assert_eq!(error.kind(), OutboxErrorKind::Unavailable);
    }
    server.up();
    let settled = insist(async || store.settle(claimed.iter().map(delivered).collect()).await);
    assert_eq!(settled.await[0].unwrap().state, State::Delivered);
    let stored = store.get(before.content.id).await.unwrap().unwrap();
    assert_eq!(stored.message.progress.state, State::Delivered);
}

#[tokio::test]
async fn mistakes_are_permanent_errors_that_say_what_to_do() {
    let Some(schema) = Schema::new().await else { return };
    let at = schema.server.connection_string();
    let error = PostgresStore::no_tls(&at).unwrap().schema("nobody_made").now().await.unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Unsupported);
    assert!(error.to_string().contains("migrate"), "{error}");
    let wrong = PostgresStore::no_tls(&at.replace("dbname=postgres", "dbname=none")).unwrap();
    let error = wrong.now().await.unwrap_err();
    assert!(!error.is_transient(), "{error:?}");
    assert!(PostgresStore::no_tls("host").is_err());

    schema.run("CREATE ROLE outrigger_reader LOGIN").await;
    let poor = at.replace("user=postgres", "user=outrigger_reader");
    let poor = PostgresStore::no_tls(&poor).unwrap().schema(&schema.name);
    let error = poor.migrate().await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("right"), "{error}");
}

#[tokio::test]
async fn an_error_tells_the_servers_code_and_nothing_of_the_message() {
    let Some(schema) = Schema::new().await else { return };
    schema.run("ALTER TABLE outrigger.message ADD CONSTRAINT no_lane CHECK (lane = '')").await;
    let secret = new(mail("1").idempotency_key("ada-lovelace"));
    let error = schema.store().enqueue(vec![secret]).await.unwrap_err();
    let told = format!("{error:?} {error} {}", error.source().unwrap());
    assert!(!told.contains("ada-lovelace"), "{told}");
    assert!(told.contains("postgresql's error 23514 by the constraint no_lane"), "{told}");
}

#[tokio::test]
async fn a_database_that_is_read_only_accepts_nothing() {
    let Some(schema) = Schema::new().await else { return };
    let read_only = format!(
        "{} options='-c default_transaction_read_only=on'",
        schema.server.connection_string()
    );
    let store = PostgresStore::no_tls(&read_only).unwrap().schema(&schema.name);
    let error = store.enqueue(vec![new(mail("1"))]).await.unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::ReadOnly);
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_claim_whose_commit_nobody_heard_of_is_given_back_unsent() {
    let Some(schema) = Schema::new().await else { return };
    schema.run(HOLD_COMMITS).await;
    let store = Arc::new(schema.store());
    store.enqueue(vec![new(mail("1"))]).await.unwrap();
    schema.run("SELECT pg_advisory_lock(20031)").await;
    let claiming = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.claim(request(LANE, 1)).await })
    };
    let is_one = async |sql: &str| -> bool {
        schema.client.query_one(&schema.sql(sql), &[]).await.unwrap().get::<_, i64>(0) == 1
    };
    let waits = "SELECT count(*) FROM pg_locks WHERE objid = 20031 AND NOT granted";
    while !is_one(waits).await {
        tokio::task::yield_now().await;
    }
    claiming.abort();
    assert!(claiming.await.unwrap_err().is_cancelled());
    schema.run("SELECT pg_advisory_unlock(20031)").await;
    while !is_one("SELECT count(*) FROM outrigger.message WHERE state = 'leased'").await {
        tokio::task::yield_now().await;
    }
    // Others leave it to whoever has it.
    assert!(schema.store().claim(request(LANE, 1)).await.unwrap().messages.is_empty());
    let claimed = store.claim(request(LANE, 1)).await.unwrap().messages;
    let progress = &claimed[0].progress;
    assert_eq!((progress.attempt, progress.unknown, progress.token), (1, 0, 2));
    // What was heard of stays where it is.
    assert!(store.claim(request(LANE, 1)).await.unwrap().messages.is_empty());
}

#[tokio::test]
async fn a_worker_that_stops_in_the_middle_of_a_claim_holds_up_its_lane_for_seconds() {
    let Some(schema) = Schema::new().await else { return };
    schema.run(HOLD_UPDATES).await;
    let store = schema.store();
    let limited = || ClaimRequest { tenant_limit: Some(1), ..request(LANE, 1) };
    store.enqueue(vec![new(mail("1").tenant("ada"))]).await.unwrap();
    schema.run("SELECT pg_advisory_lock(20032)").await;

    // A process of its own, as far as the server knows.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (goes_on, is_over) = std::sync::mpsc::channel::<()>();
    let (other, claim) = (schema.store(), limited());
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let claiming = runtime.spawn(async move { other.claim(claim).await });
        runtime.block_on(stopped).unwrap();
        // From now on, nothing of it runs.
        let _ = is_over.recv();
        claiming.abort();
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE objid = 20032 AND NOT granted";
    while schema.client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    schema.run("SELECT pg_advisory_unlock(20032)").await;

    let claiming = insist(async || store.claim(limited()).await);
    let claimed = tokio::time::timeout(Duration::from_secs(60), claiming).await.unwrap();
    assert_eq!(claimed.messages.len(), 1);
    drop(goes_on);
    process.join().unwrap();
}

/// Each change of a message waits while somebody has the lock.
const HOLD_UPDATES: &str = "
CREATE FUNCTION outrigger.hold_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20032);
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_updates BEFORE UPDATE ON outrigger.message
FOR EACH ROW EXECUTE FUNCTION outrigger.hold_updates()";

/// Each commit that changed a message waits while somebody has the lock.
const HOLD_COMMITS: &str = "
CREATE FUNCTION outrigger.hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20031);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER hold AFTER UPDATE ON outrigger.message
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION outrigger.hold()";

/// Tries until it succeeds, as a worker does.
async fn insist<T>(work: impl AsyncFn() -> Result<T, OutboxError>) -> T {
    loop {
        match work().await {
            Ok(done) => return done,
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    }
}

/// Enqueues a message into the lane with a function, claims it and delivers it.
pub(crate) async fn settle_one(store: &PostgresStore) -> (MessageId, Settled) {
    let now = store.now().await.unwrap();
    let new = mail("1").build(HOOKED, now, &Rng::system()).unwrap();
    let id = new.content.id;
    store.enqueue(vec![new]).await.unwrap();
    let claimed: Vec<StoredMessage> = store.claim(request(HOOKED, 1)).await.unwrap().messages;
    let settled = store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
    (id, settled[0].unwrap())
}
