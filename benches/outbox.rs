//! Enqueues and deliveries a second through an outbox in one SQLite file, beside raw inserts into a file with the
//! same settings in the same run.
//!
//! `cargo bench --bench outbox --features sqlite`

#![expect(clippy::disallowed_methods, reason = "measures real time")]

use std::path::Path;
use std::time::{Duration, Instant};

use outrigger::Integration;
use outrigger::outbox::rusqlite::Connection;
use outrigger::outbox::{Lane, Message, Outbox};
use outrigger::testing::{Answer, Script};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(2);
/// Callers, or messages under way, at once.
const AT_ONCE: usize = 32;
/// As large as a small JSON body.
const BODY: [u8; 256] = [b'x'; 256];

#[tokio::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("outrigger-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let raw = Raw::new(&folder.join("raw.db"));
    println!("{:>28} {:>14} {:>14} {:>8}", "", "outbox", "raw inserts", "ratio");
    for callers in [1, AT_ONCE] {
        let outbox = Outbox::sqlite(folder.join(format!("{callers}.db"))).build().expect("a file");
        let before = raw.rate();
        show(&format!("enqueues, {callers} at once"), enqueues(&outbox, callers).await, before);
    }
    for backlog in [10_000, 100_000] {
        let outbox = filled(&folder.join(format!("backlog-{backlog}.db")), backlog).await;
        let before = raw.rate();
        show(&format!("deliveries of {backlog}"), deliveries(&outbox, backlog).await, before);
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}

fn show(name: &str, rate: f64, raw: f64) {
    println!("{name:>28} {rate:>12.0}/s {raw:>12.0}/s {:>8.1}", rate / raw);
}

/// A table without indexes, with one insert a transaction, in a file with the outbox's settings.
struct Raw(Connection);

impl Raw {
    fn new(file: &Path) -> Self {
        let connection = Connection::open(file).expect("a file");
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE job (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT";
        connection.execute_batch(settings).expect("a table");
        Self(connection)
    }

    /// Measured right before each figure, because a disk's speed varies.
    fn rate(&self) -> f64 {
        let (began, mut count) = (Instant::now(), 0_u32);
        while began.elapsed() < TIME {
            let insert = self.0.prepare_cached("INSERT INTO job (body) VALUES (?1)");
            insert.expect("sql").execute([&BODY[..]]).expect("an insert");
            count += 1;
        }
        f64::from(count) / began.elapsed().as_secs_f64()
    }
}

async fn enqueues(outbox: &Outbox, callers: usize) -> f64 {
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let outbox = outbox.clone();
        tasks.spawn(async move {
            let mut count = 0_u32;
            while began.elapsed() < TIME {
                outbox.enqueue(message()).await.expect("it is stored");
                count += 1;
            }
            count
        });
    }
    let counts = tasks.join_all().await;
    f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64()
}

/// An outbox in which so many messages wait.
async fn filled(file: &Path, backlog: usize) -> Outbox {
    let provider = Integration::background("bench")
        .bulkhead(|places| places.concurrency(AT_ONCE as u32))
        .without_rate_limit()
        .service(Script::new([Answer::status(200)]))
        .build()
        .expect("it can work");
    let lane = Lane::new(&provider).concurrency(AT_ONCE);
    let outbox = Outbox::sqlite(file).lane(lane).build().expect("a file");
    let mut left = backlog;
    while left > 0 {
        let some = left.min(256);
        let enqueues = (0..some).map(|_| outbox.enqueue(message()));
        for stored in futures_util::future::join_all(enqueues).await {
            stored.expect("it is stored");
        }
        left -= some;
    }
    outbox
}

async fn deliveries(outbox: &Outbox, backlog: usize) -> f64 {
    let runs = outbox.clone();
    let run = tokio::spawn(async move { runs.run().await });
    let began = Instant::now();
    tokio::time::sleep(TIME).await;
    let stats = outbox.stats("bench").await.expect("a store");
    let took = began.elapsed();
    outbox.shut_down(Duration::from_secs(5));
    run.await.expect("a task").expect("it runs");
    let done = backlog as u64 - stats.ready - stats.leased;
    done as f64 / took.as_secs_f64()
}

fn message() -> Message {
    Message::post("https://bench.example/jobs").lane("bench").body(BODY.to_vec())
}
