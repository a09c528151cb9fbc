//! Tables of an older version, and processes of two versions.

use std::time::Duration;

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{State, Store};

use super::together::{delivered, new};
use super::{Schema, connect};
use crate::suite::bench::{LANE, mail, request};

#[tokio::test]
async fn a_message_of_an_older_version_is_delivered_after_the_migration() {
    let Some(schema) = Schema::new().await else { return };
    let old = format!("{}_old", schema.name);
    schema.client.batch_execute(&format!("CREATE SCHEMA {old}")).await.unwrap();
    let first = &PostgresStore::migrations(&old)[0];
    schema.client.batch_execute(first).await.unwrap();
    let add = async |key| {
        schema.client.query_one(&enqueue(&old, key), &[]).await.unwrap().get::<_, bool>(0)
    };
    assert!(!add("before").await);
    let store = schema.store().schema(&old);
    store.migrate().await.unwrap();
    assert!(add("before").await && !add("after").await);
    let again = new(mail("1").dedup_key("after"));
    assert!(store.enqueue(vec![again]).await.unwrap()[0].is_duplicate);

    let claimed = store.claim(request(LANE, 9)).await.unwrap().messages;
    assert_eq!(claimed.len(), 2);
    let settled = store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
    assert!(settled.iter().flatten().all(|settled| settled.state == State::Delivered));
    assert!(!add("before").await, "without a window the key is free");
}

#[tokio::test]
async fn a_migration_that_waits_for_an_open_transaction_lets_others_enqueue() {
    let Some(schema) = Schema::new().await else { return };
    let old = format!("{}_old", schema.name);
    schema.client.batch_execute(&format!("CREATE SCHEMA {old}")).await.unwrap();
    for migration in &PostgresStore::migrations(&old)[..2] {
        schema.client.batch_execute(migration).await.unwrap();
    }
    let open = connect(&schema.server.connection_string()).await;
    open.batch_execute("BEGIN").await.unwrap();
    open.query_one(&enqueue(&old, "open"), &[]).await.unwrap();
    let store = schema.store().schema(&old);
    let migrating = tokio::spawn(async move { store.migrate().await });
    let waits = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = '{old}.message'::regclass AND NOT granted"
    );
    while schema.client.query_one(&waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
    let other = enqueue(&old, "other");
    let enqueued =
        tokio::time::timeout(Duration::from_secs(60), schema.client.query_one(&other, &[]));
    assert!(!enqueued.await.unwrap().unwrap().get::<_, bool>(0));
    open.batch_execute("COMMIT").await.unwrap();
    migrating.await.unwrap().unwrap();
    let store = schema.store().schema(&old);
    assert_eq!(store.claim(request(LANE, 9)).await.unwrap().messages.len(), 2);
}

/// As a process of version 1 enqueues, before a migration and after it.
fn enqueue(schema: &str, key: &str) -> String {
    format!(
        "SELECT is_duplicate FROM {schema}.enqueue(
            ARRAY[gen_random_uuid()::text], ARRAY['{LANE}'], ARRAY[gen_random_uuid()::text],
            ARRAY['{key}'], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text],
            ARRAY['POST'], ARRAY['/'], ARRAY[''::bytea], ARRAY[''::bytea], ARRAY[''],
            ARRAY[1::bigint], ARRAY[0::bigint], ARRAY[9::bigint], ARRAY[0::bigint],
            ARRAY[3600000::bigint])"
    )
}
