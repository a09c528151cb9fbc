//! Mails through a durable queue in PostgreSQL. Whoever makes an account enqueues its mail in the same transaction,
//! so that there are both or neither; any number of processes deliver.
//!
//! It starts no server: give it the URL of a database in which it may make tables.
//!
//! ```text
//! export DATABASE_URL=postgres://postgres@localhost/postgres
//! cargo run --example outbox_postgres --features json,postgres -- enqueue ada@example.com
//! cargo run --example outbox_postgres --features json,postgres -- run
//! ```
//!
//! `run` starts a provider beside itself that fails every third mail. Start it twice, stop one with Ctrl-C while it
//! works, or kill it: the other goes on.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use std::future::Future;
use std::time::Duration;

use outrigger::Integration;
use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::tokio_postgres::{self, Client, NoTls};
use outrigger::outbox::{Dialect, Lane, Message, Outbox, UnknownOutcome};

pub(crate) type Ended = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Ended {
    let url = std::env::var("DATABASE_URL").map_err(|_| {
        "set DATABASE_URL to a database of PostgreSQL, such as postgres://postgres@localhost/postgres"
    })?;
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("enqueue"), Some(address)) => enqueue(&url, &address).await,
        (Some("run"), None) => {
            let stop = async { drop(tokio::signal::ctrl_c().await) };
            run(&url, stop).await
        }
        _ => Err("say `enqueue <address>` or `run`".into()),
    }
}

/// The outbox's tables, in a schema of their own, and the service's.
async fn prepare(url: &str) -> Result<(PostgresStore, Client), Box<dyn std::error::Error>> {
    let store = PostgresStore::no_tls(url)?;
    store.migrate().await?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let table =
        "CREATE TABLE IF NOT EXISTS account (address text PRIMARY KEY, is_welcomed boolean)";
    client.batch_execute(table).await?;
    Ok((store, client))
}

/// The service's own transaction, by its own driver: it needs no outbox.
pub(crate) async fn enqueue(url: &str, address: &str) -> Ended {
    let (_, mut client) = prepare(url).await?;
    let transaction = client.transaction().await?;
    let account = "INSERT INTO account VALUES ($1, false) ON CONFLICT DO NOTHING";
    transaction.execute(account, &[&address]).await?;
    let mail = Message::post("/mails")
        .lane("mailer")
        .json(&serde_json::json!({ "to": address }))
        // Who clicks twice gets one mail.
        .dedup_key(format!("welcome {address}"))
        .order_key(address);
    let insert = mail.insert_statement(Dialect::Postgres)?;
    let params: Vec<_> = insert.params.iter().map(|value| value as _).collect();
    let stored = transaction.query_one(&*insert.sql, &params).await?;
    transaction.commit().await?;
    let (id, is_duplicate): (&str, bool) = (stored.get("stored_id"), stored.get("is_duplicate"));
    println!("{id} {}", if is_duplicate { "was there already" } else { "is stored" });
    Ok(())
}

/// Any number of processes do this at a time.
pub(crate) async fn run(url: &str, stop: impl Future<Output = ()>) -> Ended {
    let (store, _) = prepare(url).await?;
    let provider = provider::start(|nth, _| match nth % 3 {
        1 => provider::answer(503, "try again"),
        _ => provider::answer(202, "queued"),
    });
    let mailer = Integration::background("mailer").base_url(provider.await?).build()?;
    // This provider takes a mail once, by its key.
    let lane = Lane::new(&mailer).unknown_outcome(UnknownOutcome::Resend);
    // Marked as welcomed in the transaction that marks the mail as delivered.
    let outbox = Outbox::postgres(store).lane(lane).on_delivered("mailer", |tx, mail, _| {
        Box::pin(async move {
            let address = mail.content.order_key.as_deref();
            let welcome = "UPDATE account SET is_welcomed = true WHERE address = $1";
            tx.execute(welcome, &[&address]).await?;
            Ok(())
        })
    });
    let outbox = outbox.build()?;
    let stops = async {
        stop.await;
        outbox.shut_down(Duration::from_secs(10));
    };
    let (run, ()) = tokio::join!(outbox.run(), stops);
    Ok(run?)
}
