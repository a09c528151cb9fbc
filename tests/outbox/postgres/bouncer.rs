//! PgBouncer in transaction mode: each transaction may have another of the server's connections.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::{Action, ExpiredKey, Filter, Page, Selection, Store};

use super::Schema;
use super::failures::settle_one;
use super::server::{Server, is_required, write};
use super::together::{delivered, new};
use crate::suite::bench::{HOOKED, LANE, mail, request};

#[tokio::test]
async fn the_store_works_behind_pgbouncer_in_transaction_mode() {
    let Some(schema) = Schema::new().await else { return };
    let Some(at) = shared(&schema) else { return };
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

/// Where one listens, with fewer connections than the store has, before the server that all tests share; `None` if
/// there is no PgBouncer on this machine.
///
/// # Panics
///
/// If it is required, and isn't there.
pub(super) fn shared(schema: &Schema) -> Option<&'static str> {
    static BOUNCER: OnceLock<Option<String>> = OnceLock::new();
    let start = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Debian has it where only root's PATH leads.
        let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let found = folders.map(|folder| folder.join("pgbouncer")).find(|program| program.exists());
        let missing = "pgbouncer is neither in PATH nor in /usr/sbin";
        assert!(found.is_some() || !is_required("PGBOUNCER"), "{missing}: install pgbouncer");
        if found.is_none() {
            println!("skipped: {missing}");
        }
        Some(start(schema.server, &found?))
    };
    BOUNCER.get_or_init(start).as_deref()
}

/// It ends with the server, by its file of its process id.
fn start(server: &Server, program: &Path) -> String {
    let folder = server.folder().display();
    let settings = format!(
        "[databases]\npostgres = host={folder} user=postgres\n[pgbouncer]\nlisten_addr =\n\
        unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n\
        default_pool_size = 3\npidfile = {folder}/bouncer.pid\nlogfile = {folder}/bouncer.log\n"
    );
    let settings = write(server, "bouncer.ini", &settings);
    let mut start = server.command(program);
    start.arg("-d").arg(settings).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(start.status().unwrap().success());
    format!("host={folder} port=6432 user=postgres dbname=postgres")
}
