//! The suite for the store in PostgreSQL, and what only a server has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::outbox::MemoryHook;
use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::tokio_postgres::{Client, NoTls};

use crate::suite::{Bench, HOOKED};

mod bouncer;
mod delivery;
#[cfg(feature = "hyper")]
mod example;
mod failures;
mod migrations;
pub(crate) mod pgbouncer;
mod plans;
mod seals;
mod server;
mod together;
#[cfg(feature = "oauth")]
mod tokens;
mod transactions;

use server::Server;

/// A schema of a test's own, on the server that all share.
pub(crate) struct Schema {
    pub(crate) server: &'static Server,
    pub(crate) name: String,
    /// To look at what the store does, and to do what others would.
    pub(crate) client: Client,
}

impl Schema {
    /// `None` if there is no PostgreSQL on this machine.
    pub(crate) async fn new() -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let server = server::shared()?;
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let schema = Self { server, name, client: connect(&server.connection_string()).await };
        schema.store().migrate().await.unwrap();
        Some(schema)
    }

    /// Another store on the same tables, as another process has it.
    pub(crate) fn store(&self) -> PostgresStore {
        PostgresStore::no_tls(&self.server.connection_string()).unwrap().schema(&self.name)
    }

    /// Does SQL whose `outrigger.` is this schema.
    pub(crate) async fn run(&self, sql: &str) {
        self.client.batch_execute(&self.sql(sql)).await.unwrap();
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        sql.replace("outrigger.", &format!("{}.", self.name))
    }

    /// The database's clock stands still until it is moved.
    pub(crate) async fn hold_clock(&self) {
        self.run(
            "CREATE TABLE outrigger.clock (now bigint);
            INSERT INTO outrigger.clock VALUES (1800000000000);
            CREATE OR REPLACE FUNCTION outrigger.now_millis() RETURNS bigint
            LANGUAGE sql VOLATILE AS 'SELECT now FROM outrigger.clock'",
        )
        .await;
    }
}

pub(crate) async fn connect(connection_string: &str) -> Client {
    let connected = outrigger::outbox::tokio_postgres::connect(connection_string, NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}

async fn open(hook: Arc<MemoryHook>) -> Bench {
    let schema = Arc::new(Schema::new().await.unwrap());
    schema.hold_clock().await;
    let store = schema.store().on_delivered(HOOKED, move |_, message, answer| {
        let settled = hook(message, answer);
        Box::pin(async move { settled })
    });
    let moved = Arc::clone(&schema);
    let advance = move |by: std::time::Duration| -> crate::suite::bench::Waiting<'static, ()> {
        let schema = Arc::clone(&moved);
        Box::pin(async move {
            let sql = format!("UPDATE outrigger.clock SET now = now + {}", by.as_millis());
            schema.run(&sql).await;
        })
    };
    Bench::moved_by(store, advance).keeping(schema)
}

suite!(open, server::shared().is_some());
