//! PgBouncer in transaction mode: each transaction may have another of the server's connections.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{Action, ExpiredKey, Filter, Page, Selection, Store};

use super::Schema;
use super::failures::settle_one;
use super::server::write;
use super::together::{delivered, new};
use crate::suite::bench::{HOOKED, LANE, mail, request};

#[tokio::test]
async fn the_store_works_behind_pgbouncer_in_transaction_mode() {
    let Some(schema) = Schema::new().await else { return };
    let Some(at) = start(&schema) else {
        println!("skipped: there is no /usr/sbin/pgbouncer");
        return;
    };
    let store = PostgresStore::no_tls(&at).unwrap().schema(&schema.name).connections(8);
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

/// Starts it before the tests' server, with fewer connections than the store has; where it listens. It ends
/// with the server, by its file of its process id.
pub(super) fn start(schema: &Schema) -> Option<String> {
    let program = Path::new("/usr/sbin/pgbouncer");
    if !program.exists() {
        return None;
    }
    let (server, folder) = (schema.server, schema.server.folder().display());
    let settings = format!(
        "[databases]\npostgres = host={folder} user=postgres\n[pgbouncer]\nlisten_addr =\n\
        unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n\
        default_pool_size = 3\npidfile = {folder}/bouncer.pid\nlogfile = {folder}/bouncer.log\n"
    );
    let settings = write(server, "bouncer.ini", &settings);
    let mut start = server.command(program);
    start.arg("-d").arg(settings).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(start.status().unwrap().success());
    Some(format!("host={folder} port=6432 user=postgres dbname=postgres"))
}
