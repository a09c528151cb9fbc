//! PgBouncer in transaction mode: each transaction may have another of the server's connections.

use std::sync::Arc;

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{Action, ExpiredKey, Filter, Page, Selection, Store};

use super::Schema;
use super::failures::settle_one;
use super::pgbouncer;
use super::together::{delivered, new};
use crate::suite::bench::{HOOKED, LANE, mail, request};

#[tokio::test]
async fn the_store_works_behind_pgbouncer_in_transaction_mode() {
    let Some(schema) = Schema::new().await else { return };
    let Some(at) = pgbouncer::shared(schema.server) else { return };
    let store = PostgresStore::no_tls(at).unwrap().schema(&schema.name).connections(8);
    let store = store.on_delivered(HOOKED, |tx, _, _| {
        Box::pin(async move { Ok(tx.batch_execute("SELECT 1").await?) })
    });
    store.migrate().await.unwrap();
    let store = Arc::new(store);
    let tasks = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..15 {
                store.enqueue(vec![new(mail("1").order_key("a")), new(mail("2"))]).await.unwrap();
                let claimed = store.claim(request(LANE, 3)).await.unwrap().messages;
                store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
                store.reap(5).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (id, _) = settle_one(&store).await;
    assert_eq!(store.get(id).await.unwrap().unwrap().attempts.len(), 1);
    let replay = Action::Replay(ExpiredKey::Refuse);
    store.act(Selection::All(Filter::dead()), replay, "ada".into(), "why".into()).await.unwrap();
    loop {
        let claimed = store.claim(request(LANE, 50)).await.unwrap().messages;
        if claimed.is_empty() {
            break;
        }
        store.settle(claimed.iter().map(delivered).collect()).await.unwrap();
    }
    let stats = store.stats(LANE.into()).await.unwrap();
    assert_eq!((stats.ready, stats.leased), (0, 0));
    assert_eq!(store.browse(Filter::all(), Page::first(1_000)).await.unwrap().len(), 241);
}
