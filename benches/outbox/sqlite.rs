use std::path::PathBuf;

use outrigger::outbox::rusqlite::Connection;
use outrigger::outbox::{Lane, Outbox, OutboxBuilder};

use super::{BODY, Engine, Floors, copied};

/// Files in a folder that is removed at the end.
pub(super) struct Sqlite {
    folder: PathBuf,
    raw: Connection,
}

impl Sqlite {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("outrigger-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let raw = Connection::open(folder.join("raw.db")).expect("a file");
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE job (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT";
        raw.execute_batch(settings).expect("a table");
        Self { folder, raw }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }
}

impl Engine for Sqlite {
    const NAME: &'static str = "SQLite";
    const FLOORS: Floors = Floors {
        enqueues_of_one: 3_819.0,
        enqueues: 46_708.0,
        deliveries: 4_089.0,
        deliveries_of_many: 3_364.0,
    };

    async fn insert(&self) {
        let insert = self.raw.prepare_cached("INSERT INTO job (body) VALUES (?1)");
        insert.expect("sql").execute([&BODY[..]]).expect("an insert");
    }

    async fn outbox(&self, name: &str, lane: Option<Lane>) -> Outbox {
        let outbox = Outbox::sqlite(self.file(name));
        let outbox = lane.into_iter().fold(outbox, OutboxBuilder::lane);
        outbox.build().expect("a file")
    }

    async fn fill(&self, name: &str, rows: usize) {
        let file = Connection::open(self.file(name)).expect("a file");
        let columns = file.prepare("SELECT name FROM pragma_table_info('outrigger_message')");
        let mut columns = columns.expect("sql");
        let columns = columns.query_map([], |row| row.get(0)).expect("columns");
        let columns: Vec<String> = columns.map(|column| column.expect("a name")).collect();
        let copied = copied(&columns, "printf('00000000-0000-7000-8000-%012x', n)");
        let columns = columns.join(", ");
        file.execute_batch(&format!(
            "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < {rows})
            INSERT INTO outrigger_message ({columns})
                SELECT {copied} FROM (SELECT * FROM outrigger_message LIMIT 1), number;
            PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .expect("rows");
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
