//! What a black box can't see: which index each statement uses, and that columns and values agree.

use rusqlite::Connection;

use super::{INSERT, SQLITE_MIGRATIONS, browse, claim, ops, people, tenants};
use crate::outbox::columns::{CONTENT, PROGRESS};

#[test]
fn columns_and_values_are_in_one_order() {
    let names = INSERT.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let names: Vec<_> = names.split(',').map(str::trim).collect();
    assert_eq!(names, [&CONTENT[..], &PROGRESS[..]].concat());
    let set = ops::UPDATE.split_once("SET").unwrap().1.split_once("WHERE").unwrap().0;
    let set: Vec<_> = set.split(',').map(|part| part.split('=').next().unwrap().trim()).collect();
    assert_eq!(set, [&PROGRESS[..], &["last_status", "last_error", "batch_request"]].concat());
}

#[test]
fn every_statement_uses_an_index_without_statistics() {
    let connection = Connection::open_in_memory().unwrap();
    for migration in SQLITE_MIGRATIONS {
        connection.execute_batch(migration).unwrap();
    }
    // Each part of a plan, with what stands in it: an index, or the table's own key.
    for (sql, plan) in [
        (ops::DUPLICATE, &["idempotency_key", "outrigger_dedup"][..]),
        (claim::DUE, &["outrigger_due "]),
        (
            claim::DUE_ORDERED,
            &[
                "outrigger_due_ordered",
                "outrigger_order_open",
                "outrigger_order_leased",
                "outrigger_order_dead",
            ],
        ),
        (claim::DUE_BEYOND, &["outrigger_due_ordered"]),
        (
            claim::DUE_HEADS,
            &["outrigger_order_open", "outrigger_order_leased", "outrigger_order_dead"],
        ),
        (tenants::UNDER_WAY, &["outrigger_leased_tenant"]),
        (tenants::DUE_NEAR, &["outrigger_due "]),
        (tenants::DUE_OF_TENANT, &["outrigger_due_tenant"]),
        (tenants::NEXT_TENANT, &["outrigger_due_tenant"]),
        (claim::BATCH, &["outrigger_batch"]),
        (ops::FREE_KEY, &["PRIMARY KEY (rowid=?)"]),
        (ops::KEEP_REQUEST, &["PRIMARY KEY (rowid=?)"]),
        (claim::BY_SEQ, &["PRIMARY KEY (rowid=?)"]),
        (claim::NEXT_DUE, &["outrigger_due ", "outrigger_due_ordered"]),
        (ops::BY_ID, &["(id=?)"]),
        (ops::FIND, &["(id=?)"]),
        (ops::UPDATE, &["PRIMARY KEY (rowid=?)"]),
        (ops::UPDATE_ANSWER, &["PRIMARY KEY (rowid=?)"]),
        (ops::LEASES_OVER, &["outrigger_lease"]),
        (ops::DEADLINES_OVER, &["outrigger_deadline"]),
        (ops::PAUSE_OF, &["(lane=?)"]),
        (people::ERASE_ATTEMPTS, &["(message=?)"]),
        (people::ERASE_BATCH, &["outrigger_batch"]),
        (ops::MEMBERS, &["outrigger_batch"]),
        (people::ERASE, &["PRIMARY KEY (rowid=?)"]),
        (people::RESUME, &["(lane=?)"]),
        (people::MOVE_TO_END, &["PRIMARY KEY (rowid=?)"]),
        (people::MOVE, &["(id=?)"]),
        (people::DONE_BEFORE, &["outrigger_done"]),
        (people::WINDOWS_OVER, &["outrigger_window", "PRIMARY KEY (rowid=?)"]),
        (people::REMOVE, &["(id=?)"]),
        (people::REMOVE_ATTEMPTS, &["(message=?)"]),
        (browse::ALL.browse, &["PRIMARY KEY (rowid>?)"]),
        (browse::DEAD.browse, &["outrigger_dead "]),
        (browse::DEAD.count, &["outrigger_dead "]),
        (browse::OF_LANE.browse, &["outrigger_of_lane (lane=? AND seq>?)"]),
        (
            browse::NAMED.browse,
            &[
                "PRIMARY KEY (rowid=?)",
                "(id=?)",
                "idempotency_key",
                "outrigger_by_dedup_key",
                "outrigger_by_order_key",
                "outrigger_by_correlation_id",
                "outrigger_attempt_request_id",
            ],
        ),
        (browse::ATTEMPTS, &["(message=?)"]),
        (browse::ACTS, &["outrigger_act_message"]),
        (browse::STATS_READY, &["outrigger_due"]),
        (browse::STATS_LEASED, &["outrigger_lease"]),
        (browse::STATS_DEAD, &["COVERING INDEX outrigger_dead_of_lane (lane=?)"]),
    ] {
        let steps = plan_of(&connection, sql);
        for part in plan {
            let is_there = steps.iter().any(|step| step.contains(part));
            // An index of the table's own constraints has a number for a name.
            let by_constraint = *part == "idempotency_key"
                && steps.iter().any(|step| step.contains("(idempotency_key=?)"));
            assert!(is_there || by_constraint, "{part} is not in {steps:#?} of {sql}");
        }
        for step in &steps {
            // Groups of the few reasons, the heads of the keys, and the few messages of a name.
            let may_sort =
                [browse::STATS_DEAD, claim::DUE_HEADS, browse::NAMED.browse].contains(&sql);
            let is_sorted = step.contains("USE TEMP B-TREE") && !may_sort;
            // What a subquery has found already; its own steps stand beside it.
            let is_of_subquery = ["SCAN m", "SCAN keys", "SCAN CONSTANT ROW"]
                .contains(&step.as_str())
                && [claim::DUE_ORDERED, claim::DUE_HEADS].contains(&sql);
            // Of partial indexes, whose rows are few.
            let is_partial =
                ["outrigger_lease", "outrigger_dead"].iter().any(|of| step.contains(of));
            let scans = step.starts_with("SCAN") && !is_partial && !is_of_subquery;
            assert!(!is_sorted && !scans, "{step} in {sql}");
        }
    }
}

fn plan_of(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    for at in 1..=count {
        statement.raw_bind_parameter(at, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get("detail").unwrap());
    }
    steps
}

/// The limit on pages stands for a disk's end: SQLite tells both by the same error.
#[tokio::test]
async fn a_full_disk_is_told_and_what_was_accepted_stays() {
    use crate::outbox::error::OutboxErrorKind;
    use crate::outbox::{MemoryStore, Message, Store};
    use crate::rt::{Clock, Rng};

    let connection = Connection::open_in_memory().unwrap();
    for migration in SQLITE_MIGRATIONS {
        connection.execute_batch(migration).unwrap();
    }
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.execute_batch(&format!("PRAGMA max_page_count = {}", pages + 20)).unwrap();
    let now = MemoryStore::new().now().await.unwrap();
    let writer = super::group::Writer::start(connection, Clock::system()).unwrap();
    let enqueue = |bytes: usize| {
        let message = Message::post("https://api.mailer.example/").body(vec![0; bytes]);
        let new = message.build("mailer", now, &Rng::system()).unwrap();
        writer.write(move |tx, _| ops::enqueue(tx, &new).map_err(super::connection::failed))
    };
    enqueue(10).await.unwrap();
    let refused = enqueue(1 << 20).await.unwrap_err();
    assert_eq!(refused.kind(), OutboxErrorKind::Full);
    assert!(refused.is_transient());
    enqueue(10).await.unwrap();
    let count = writer.write(|tx, _| {
        let count = tx.query_row("SELECT count(*) FROM outrigger_message", [], |row| row.get(0));
        count.map_err(super::connection::failed)
    });
    let count: i64 = count.await.unwrap();
    assert_eq!(count, 2);
}
