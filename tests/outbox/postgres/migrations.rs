//! Tables of an older version, and processes of two versions.

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{State, Store};

use super::Schema;
use super::together::{delivered, new};
use crate::suite::bench::{LANE, mail, request};

#[tokio::test]
async fn a_message_of_an_older_version_is_delivered_after_the_migration() {
    let Some(schema) = Schema::new().await else { return };
    let old = format!("{}_old", schema.name);
    schema.client.batch_execute(&format!("CREATE SCHEMA {old}")).await.unwrap();
    let first = &PostgresStore::migrations(&old)[0];
    schema.client.batch_execute(first).await.unwrap();
    // As a process of version 1 enqueues it, before the migration and after it.
    let enqueue = |key: &str| {
        format!(
            "SELECT is_duplicate FROM {old}.enqueue(
                ARRAY[gen_random_uuid()::text], ARRAY['{LANE}'], ARRAY[gen_random_uuid()::text],
                ARRAY['{key}'], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text],
                ARRAY['POST'], ARRAY['/'], ARRAY[''::bytea], ARRAY[''::bytea], ARRAY[''],
                ARRAY[1::bigint], ARRAY[0::bigint], ARRAY[9::bigint], ARRAY[0::bigint],
                ARRAY[3600000::bigint])"
        )
    };
    let add =
        async |key| schema.client.query_one(&enqueue(key), &[]).await.unwrap().get::<_, bool>(0);
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
