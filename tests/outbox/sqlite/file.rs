//! What only a file has: it outlives its process, has other writers, and may be full or not writable.

use std::collections::BTreeMap;
use std::sync::Arc;

use outrigger::Integration;
use outrigger::outbox::rusqlite::{Connection, params_from_iter};
use outrigger::outbox::{
    Dialect, Lane, Outbox, OutboxErrorKind, Outcome, SqliteHook, SqliteStore, State, Store,
    TicketState, Timestamp, UnknownOutcome,
};
use outrigger::testing::{self, Script};

use super::Folder;
use crate::suite::bench::{LANE, answer, lease, mail, request};
use crate::suite::{Bench, HOOKED, clock};

#[tokio::test]
async fn a_message_is_stored_with_the_hosts_transaction_or_not_at_all() {
    let folder = Folder::new();
    let bench = open(&folder);
    let mut host = Connection::open(folder.file()).unwrap();
    host.execute_batch("CREATE TABLE orders (id INTEGER)").unwrap();
    for (order, commits) in [(1, false), (2, true)] {
        let transaction = host.transaction().unwrap();
        transaction.execute("INSERT INTO orders VALUES (?1)", [order]).unwrap();
        for key in ["a", "a", "b"] {
            let message =
                mail("1").lane(LANE).idempotency_key(format!("{order} {key}").replace(' ', "-"));
            let insert = message.insert_statement(Dialect::Sqlite).unwrap();
            let rows = transaction.execute(&insert.sql, params_from_iter(insert.params)).unwrap();
            assert!(rows <= 1);
        }
        if commits {
            transaction.commit().unwrap();
        }
    }
    // The host reads the machine's clock, which is not the test's.
    let stored =
        bench.store.browse(outrigger::outbox::Filter::all(), outrigger::outbox::Page::first(9));
    let keys: Vec<_> =
        stored.await.unwrap().into_iter().map(|m| m.content.idempotency_key).collect();
    assert_eq!(keys, ["2-a", "2-b"]);
    let refused = mail("1").insert_statement(Dialect::Sqlite).unwrap_err();
    assert_eq!(refused.kind(), OutboxErrorKind::Message);
}

#[tokio::test]
async fn what_is_stored_outlives_the_store() {
    let folder = Folder::new();
    let bench = open(&folder);
    let (waits, sent) = (bench.enqueue_in("crm", mail("1")).await.id, bench.add("2").await);
    bench.claim_one(LANE).await;
    drop(bench);
    let bench = open(&folder);
    assert_eq!(bench.state(waits).await, "ready");
    assert_eq!(bench.state(sent).await, "leased");
    // This process has the only workers, so the other's lease is over at once.
    let recovered = bench.store.recover().await.unwrap();
    assert_eq!(recovered.changed.iter().map(|it| it.id).collect::<Vec<_>>(), [sent]);
    let progress = bench.get(sent).await.message.progress;
    assert_eq!((progress.state, progress.unknown, progress.attempt), (State::Ready, 1, 1));
}

#[tokio::test]
async fn a_file_has_one_worker_process_and_many_that_enqueue() {
    let folder = Folder::new();
    let (one, other) = (open(&folder), open(&folder));
    one.store.recover().await.unwrap();
    assert_eq!(other.store.recover().await.unwrap_err().kind(), OutboxErrorKind::Taken);
    let id = other.add("1").await;
    assert_eq!(one.claim_one(LANE).await.content.id, id);
    drop(one);
    other.store.recover().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_has_one_worker_process_by_whatever_link_it_is_found() {
    let folder = Folder::new();
    let link = |name: &str| folder.file().with_file_name(name);
    std::os::unix::fs::symlink("jobs.db", link("other.db")).unwrap();
    std::os::unix::fs::symlink(".", link("here")).unwrap();
    // The first makes the file that the link leads to.
    let one = SqliteStore::open(link("other.db")).unwrap();
    one.recover().await.unwrap();
    for path in [folder.file(), link("here").join("jobs.db")] {
        let refused = SqliteStore::open(path).unwrap().recover().await.unwrap_err();
        assert_eq!(refused.kind(), OutboxErrorKind::Taken);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_with_hard_links_is_refused() {
    let folder = Folder::new();
    drop(SqliteStore::open(folder.file()).unwrap());
    let other = folder.file().with_file_name("other.db");
    std::fs::hard_link(folder.file(), &other).unwrap();
    for path in [folder.file(), other.clone()] {
        let refused = SqliteStore::open(path).unwrap_err();
        assert_eq!(refused.kind(), OutboxErrorKind::Unsupported);
        assert!(refused.to_string().contains("2 names"), "{refused}");
    }
    std::fs::remove_file(other).unwrap();
    SqliteStore::open(folder.file()).unwrap();
}

#[tokio::test]
async fn workers_that_were_dropped_or_shut_down_leave_the_file_to_another_process() {
    let (folder, limit) = (Folder::new(), std::time::Duration::from_secs(60));
    let outbox = || {
        let script = Script::by(|_| testing::Answer::status(200));
        let mailer = Integration::background(LANE).service(script).build().unwrap();
        Outbox::sqlite(folder.file()).lane(&mailer).build().unwrap()
    };
    let (one, other, last) = (outbox(), outbox(), outbox());
    let run = |outbox: &Outbox| {
        let outbox = outbox.clone();
        tokio::spawn(async move { outbox.run().await })
    };
    let works = async |outbox: &Outbox| {
        let ticket = one.enqueue(mail("1")).await.unwrap();
        outbox.wake();
        outbox.wait(ticket.id, limit).await.unwrap()
    };
    let first = run(&one);
    assert!(matches!(works(&one).await, TicketState::Delivered { .. }));
    assert_eq!(other.run().await.unwrap_err().kind(), OutboxErrorKind::Taken);
    first.abort();
    let _ = first.await;
    // The lock is given up behind what was still to be written.
    one.enqueue(mail("1")).await.unwrap();
    let second = run(&other);
    assert!(matches!(works(&other).await, TicketState::Delivered { .. }));
    other.shut_down(limit);
    second.await.unwrap().unwrap();
    other.enqueue(mail("1")).await.unwrap();
    let third = run(&last);
    assert!(matches!(works(&last).await, TicketState::Delivered { .. }));
    assert!(one.store().recover().await.is_err_and(|error| error.kind() == OutboxErrorKind::Taken));
    third.abort();
}

#[tokio::test]
async fn workers_that_were_dropped_while_they_began_leave_the_file_to_another_process() {
    let folder = Folder::new();
    let outbox = || {
        let script = Script::by(|_| testing::Answer::status(200));
        let mailer = Integration::background(LANE).service(script).build().unwrap();
        Outbox::sqlite(folder.file()).lane(&mailer).build().unwrap()
    };
    let (one, other) = (outbox(), outbox());
    // It is dropped after its first poll, which has asked for the lock.
    assert!(futures_util::FutureExt::now_or_never(one.run()).is_none());
    one.enqueue(mail("1")).await.unwrap();
    other.store().recover().await.unwrap();
}

#[tokio::test]
async fn a_file_of_an_older_version_is_brought_up_and_its_messages_are_delivered() {
    let folder = Folder::new();
    let host = Connection::open(folder.file()).unwrap();
    host.execute_batch(outrigger::outbox::SQLITE_MIGRATIONS[0]).unwrap();
    host.execute_batch(
        "INSERT INTO outrigger_meta VALUES ('version', 1);
        INSERT INTO outrigger_message (
            id, lane, idempotency_key, dedup_key, method, uri, headers, body, fingerprint, priority,
            keep_answer, created, state, phase, attempt, max_attempts, hook_attempts, snoozes, unknown,
            not_before, max_age, deadline, token, replays, erased, unknown_before
        ) VALUES (
            '01890000-0000-7000-8000-000000000000', 'mailer', 'k', 'welcome', 'POST', '/', x'', x'31', '',
            1, 0, 1, 'ready', 'send', 0, 9, 0, 0, 0, 1, 1, 9007199254740991, 0, 0, 0, 0
        )",
    )
    .unwrap();
    drop(host);
    let bench = open(&folder);
    assert!(bench.enqueue_in(LANE, mail("2").dedup_key("welcome")).await.is_duplicate);
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(crate::suite::bench::body(&claimed), "1");
    assert_eq!(bench.deliver(&claimed).await.state, State::Delivered);
    assert!(!bench.enqueue_in(LANE, mail("3").dedup_key("welcome")).await.is_duplicate);
}

#[tokio::test]
async fn a_claim_that_nobody_heard_of_was_no_attempt() {
    let folder = Folder::new();
    let bench = open(&folder);
    let id = bench.add("1").await;
    drop(bench.store.claim(request(LANE, 1)));
    for (attempts, unknown) in [(0, 0), (1, 1)] {
        bench.store.recover().await.unwrap();
        let progress = bench.get(id).await.message.progress;
        assert_eq!((progress.attempt, progress.unknown), (attempts, unknown));
        assert_eq!(bench.claim_one(LANE).await.progress.attempt, attempts + 1);
    }
}

#[tokio::test]
async fn workers_that_could_not_begin_or_were_dropped_begin_again() {
    let folder = Folder::new();
    let bench = open(&folder);
    let left = bench.add("1").await;
    bench.claim_one(LANE).await;
    drop(bench);
    let host = Connection::open(folder.file()).unwrap();
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON outrigger_message BEGIN SELECT RAISE(ABORT, 'no'); END";
    host.execute_batch(refuse).unwrap();
    let script = Script::by(|_| testing::Answer::status(200));
    let mailer = Integration::background(LANE).service(script).build().unwrap();
    let lane = Lane::new(&mailer).unknown_outcome(UnknownOutcome::Resend);
    let outbox = Outbox::sqlite(folder.file()).clock(clock().clock()).lane(lane).build().unwrap();
    // Whoever could not begin is in nobody's way.
    for store in [&outbox, &Outbox::sqlite(folder.file()).build().unwrap()] {
        assert_eq!(store.run().await.unwrap_err().kind(), OutboxErrorKind::Store);
    }
    host.execute_batch("DROP TRIGGER refuse").unwrap();

    let run = || {
        let outbox = outbox.clone();
        tokio::spawn(async move { outbox.run().await })
    };
    let limit = std::time::Duration::from_secs(60);
    let running = run();
    let state = outbox.wait(left, limit).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    let running = run();
    let next = outbox.enqueue(mail("2")).await.unwrap();
    let state = outbox.wait(next.id, limit).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    outbox.shut_down(limit);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_settling_function_writes_in_the_transaction_that_marks_the_message_delivered() {
    let (folder, clock) = (Folder::new(), clock());
    Connection::open(folder.file())
        .unwrap()
        .execute_batch("CREATE TABLE charges (message TEXT, body TEXT)")
        .unwrap();
    let hook: Arc<SqliteHook> = Arc::new(|tx, message, answer| {
        let body = String::from_utf8_lossy(&answer.body);
        let values = (message.content.id.to_string(), &body);
        tx.execute("INSERT INTO charges VALUES (?1, ?2)", values)?;
        // It may enqueue what follows.
        let next = mail("receipt").lane(LANE).insert_statement(Dialect::Sqlite)?;
        tx.execute(&next.sql, params_from_iter(next.params))?;
        if body == "refuse" { Err("no".into()) } else { Ok(()) }
    });
    let hooks = BTreeMap::from([(HOOKED.to_owned(), hook)]);
    let store = SqliteStore::open_with(folder.file(), clock.clock(), hooks).unwrap();
    let bench = Bench::new(store, clock);
    for text in ["refuse", "done"] {
        bench.enqueue_in(HOOKED, mail("1")).await;
        let claimed = bench.claim_one(HOOKED).await;
        let outcome = Outcome::Delivered { hook_again: Timestamp::NEVER };
        bench.settle_with(lease(&claimed), outcome, Some(answer(200, text))).await;
    }
    let host = Connection::open(folder.file()).unwrap();
    let count = |sql: &str| host.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM charges"), 1);
    assert_eq!(count("SELECT count(*) FROM outrigger_message WHERE lane = 'mailer'"), 1);
}

#[tokio::test]
async fn many_callers_at_once_each_get_their_own_answer() {
    let folder = Folder::new();
    let bench = open(&folder);
    let now = bench.now().await;
    let rng = outrigger::rt::Rng::seeded(5);
    let one = |nth: u32| {
        // Five of them have one key.
        let message = mail("1").idempotency_key(format!("key-{}", nth - nth % 5));
        bench.store.enqueue(vec![message.build(LANE, now, &rng).unwrap()])
    };
    let answers = futures_util::future::join_all((0..100).map(one)).await;
    let stored =
        answers.into_iter().filter(|answer| !answer.as_ref().unwrap()[0].is_duplicate).count();
    assert_eq!(stored, 20);
    assert_eq!(bench.claim_as(request(LANE, 100)).await.messages.len(), 20);
}

#[tokio::test]
async fn what_is_no_database_is_refused_by_kind() {
    let folder = Folder::new();
    std::fs::write(
        folder.file(),
        "this is no database, and long enough to be looked at".repeat(50),
    )
    .unwrap();
    assert_eq!(kind(&folder), OutboxErrorKind::Unsupported);
    std::fs::remove_file(folder.file()).unwrap();
    std::fs::create_dir(folder.file()).unwrap();
    assert_eq!(kind(&folder), OutboxErrorKind::Unavailable);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_to_accepts_nothing() {
    let folder = Folder::new();
    let bench = open(&folder);
    bench.add("1").await;
    let host = Connection::open(folder.file()).unwrap();
    // As a full disk does.
    host.execute_batch("CREATE TRIGGER full BEFORE INSERT ON outrigger_message BEGIN SELECT RAISE(ROLLBACK, 'full'); END")
        .unwrap();
    let new = mail("2").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(5)).unwrap();
    let refused = bench.store.enqueue(vec![new.clone()]).await.unwrap_err();
    assert_eq!(refused.kind(), OutboxErrorKind::Store);
    host.execute_batch("DROP TRIGGER full").unwrap();
    assert!(!bench.store.enqueue(vec![new]).await.unwrap()[0].is_duplicate);
}

fn kind(folder: &Folder) -> OutboxErrorKind {
    SqliteStore::open(folder.file()).unwrap_err().kind()
}

fn open(folder: &Folder) -> Bench {
    let clock = clock();
    let store = SqliteStore::open_with(folder.file(), clock.clock(), BTreeMap::new()).unwrap();
    Bench::new(store, clock)
}

#[tokio::test]
async fn a_transaction_of_the_hosts_holds_up_the_store_and_refuses_nothing() {
    let folder = Folder::new();
    let bench = open(&folder);
    let host = Connection::open(folder.file()).unwrap();
    host.execute_batch("BEGIN IMMEDIATE").unwrap();
    let new = mail("1").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(5)).unwrap();
    let mut enqueues = bench.store.enqueue(vec![new]);
    let early = tokio::time::timeout(std::time::Duration::from_millis(50), &mut enqueues).await;
    assert!(early.is_err(), "it waits");
    // Others are read meanwhile.
    assert_eq!(bench.store.stats(LANE.into()).await.unwrap().ready, 0);
    host.execute_batch("COMMIT").unwrap();
    assert!(!enqueues.await.unwrap()[0].is_duplicate);
}
