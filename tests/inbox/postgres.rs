//! Handling in the transaction of a database with many processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::inbox::{EventLane, Inbox, ReceivedEvent, lane};
use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::tokio_postgres::{Client, NoTls, Transaction};
use outrigger::outbox::{Dialect, Filter, Message, Outbox, Page, Schedule, State};

use crate::bench::{PATIENCE, SOURCE, clock, receive, trusting};
use crate::sign::new;

#[path = "../outbox/postgres/server.rs"]
#[expect(dead_code, reason = "the outbox's tests use all of it")]
mod server;

/// A schema of a test's own, on the server that all share.
pub(crate) struct Schema {
    server: &'static server::Server,
    name: String,
}

impl Schema {
    /// `None` if there is no PostgreSQL on this machine.
    pub(crate) async fn new() -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let server = server::shared()?;
        let schema =
            Self { server, name: format!("inbox_{}", NEXT.fetch_add(1, Ordering::Relaxed)) };
        schema.store().migrate().await.unwrap();
        Some(schema)
    }

    pub(crate) fn store(&self) -> PostgresStore {
        PostgresStore::no_tls(&self.server.connection_string()).unwrap().schema(&self.name)
    }

    async fn connect(&self) -> Client {
        let at = format!("{} options=-csearch_path={}", self.server.connection_string(), self.name);
        let (client, connection) =
            outrigger::outbox::tokio_postgres::connect(&at, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// A process whose handler writes a row and enqueues a receipt, and then fails the first time of each event.
fn process(schema: &Schema) -> Outbox {
    let name: Arc<str> = schema.name.as_str().into();
    let events = EventLane::new(SOURCE).schedule(Schedule::new([Duration::from_millis(20)]));
    let outbox = Outbox::postgres(schema.store()).on_event(events, move |tx, event| {
        let name = Arc::clone(&name);
        Box::pin(async move {
            pay(tx, event, &name).await?;
            if event.attempt() < 2 { Err("after all was written".into()) } else { Ok(()) }
        })
    });
    outbox.build().unwrap()
}

async fn pay(
    tx: &Transaction<'_>,
    event: &ReceivedEvent,
    schema: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    tx.execute(&format!("INSERT INTO {schema}.paid VALUES ($1)"), &[&event.id()]).await?;
    let receipt = Message::post("https://mailer.example/mails").lane("mailer").body("paid");
    let insert = receipt.insert_statement(Dialect::Postgres)?.in_schema(schema);
    tx.execute_raw(&*insert.sql, insert.params).await?;
    Ok(())
}

#[tokio::test]
async fn what_a_handler_writes_is_kept_once_whichever_process_handles_the_event() {
    let Some(schema) = Schema::new().await else { return };
    let client = schema.connect().await;
    client.batch_execute("CREATE TABLE paid (invoice text NOT NULL)").await.unwrap();
    let processes = [process(&schema), process(&schema)];
    let running: Vec<_> =
        processes.iter().cloned().map(|it| tokio::spawn(async move { it.run().await })).collect();
    let inboxes = processes.each_ref().map(|outbox| {
        let inbox = Inbox::builder(SOURCE, trusting(), outbox).clock(clock());
        inbox.time_limit(PATIENCE).build().unwrap()
    });
    // Each event comes to both, as behind a load balancer.
    for nth in 0..40 {
        let signed = new(&[], &format!("in_{nth}"));
        let (one, other) =
            tokio::join!(receive(&inboxes[0], &signed), receive(&inboxes[1], &signed));
        one.and(other).unwrap();
    }
    let recorded: u64 = inboxes.iter().map(|inbox| inbox.counts().recorded).sum();
    assert_eq!(recorded, 40);
    let events = Filter::all().lane(lane(SOURCE));
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let rows = processes[0].browse(events.clone(), Page::first(100)).await.unwrap();
        if rows.iter().all(|row| row.progress.state == State::Delivered) {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "all are handled");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let count = "SELECT count(*), count(DISTINCT invoice),
        (SELECT count(*) FROM message WHERE lane = 'mailer') FROM paid";
    let row = client.query_one(count, &[]).await.unwrap();
    assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [40, 40, 40]);
    processes.iter().for_each(|outbox| outbox.shut_down(Duration::from_secs(10)));
    for run in running {
        run.await.unwrap().unwrap();
    }
}
