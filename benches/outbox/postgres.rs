use outrigger::outbox::postgres::PostgresStore;
use outrigger::outbox::tokio_postgres::{self, Client, NoTls, Statement};
use outrigger::outbox::{Lane, Outbox, OutboxBuilder};

use super::{AT_ONCE, BODY, Engine, Floors, copied};

#[path = "../../tests/outbox/postgres/server.rs"]
#[expect(dead_code, reason = "the outbox's tests use all of it")]
mod server;

/// A server of the bench's own, which waits for its disk as one in production does.
pub(super) struct Postgres {
    server: server::Server,
    client: Client,
    insert: Statement,
}

impl Postgres {
    /// `None` if there is no PostgreSQL on this machine.
    pub(super) async fn start() -> Option<Self> {
        let server = server::Server::start_with(SETTINGS)?;
        let connected = tokio_postgres::connect(&server.connection_string(), NoTls).await;
        let (client, connection) = connected.expect("a server");
        tokio::spawn(connection);
        let table = "CREATE TABLE job (id bigserial PRIMARY KEY, body bytea NOT NULL)";
        client.batch_execute(table).await.expect("a table");
        let insert = client.prepare("INSERT INTO job (body) VALUES ($1)").await.expect("sql");
        Some(Self { server, client, insert })
    }
}

impl Engine for Postgres {
    const NAME: &'static str = "PostgreSQL";
    const FLOORS: Floors = Floors {
        enqueues_of_one: 1_907.0,
        enqueues: 6_990.0,
        deliveries: 2_854.0,
        deliveries_of_many: 2_074.0,
    };

    async fn insert(&self) {
        self.client.execute(&self.insert, &[&&BODY[..]]).await.expect("an insert");
    }

    async fn outbox(&self, name: &str, lane: Option<Lane>) -> Outbox {
        let store =
            PostgresStore::no_tls(&self.server.connection_string()).expect("it can be read");
        let store = store.schema(name).connections(AT_ONCE.min(8));
        store.migrate().await.expect("tables");
        let outbox = Outbox::postgres(store);
        let outbox = lane.into_iter().fold(outbox, OutboxBuilder::lane);
        outbox.build().expect("it can work")
    }

    async fn fill(&self, name: &str, rows: usize) {
        let columns = "SELECT column_name::text FROM information_schema.columns
            WHERE table_schema = $1 AND table_name = 'message' ORDER BY ordinal_position";
        let columns = self.client.query(columns, &[&name]).await.expect("columns");
        let columns: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
        let id = "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))";
        let copied = copied(&columns, id).replacen(id, &format!("{id}::uuid"), 1);
        let columns = columns.join(", ");
        let fill = format!(
            "INSERT INTO {name}.message ({columns}) SELECT {copied}
                FROM (SELECT * FROM {name}.message LIMIT 1) one, generate_series(2, {rows}) n;
            SELECT setval('{name}.message_seq', {rows})"
        );
        self.client.batch_execute(&fill).await.expect("rows");
        // As the server does by itself after a while.
        self.client.batch_execute(&format!("VACUUM ANALYZE {name}.message")).await.expect("done");
    }
}

const SETTINGS: &str = "-c listen_addresses= -c max_connections=100 -c shared_buffers=256MB";
