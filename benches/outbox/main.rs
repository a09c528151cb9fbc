//! Enqueues and deliveries a second through an outbox in SQLite and in PostgreSQL, beside raw inserts with the same
//! durability in the same run; whether a million rows make a difference; and how long a person waits for a list of dead
//! letters, and for what they look for in it.
//!
//! What two runs said on two idle processors, with the files in memory (`TMPDIR=/dev/shm`) so that the disk doesn't count.
//! SQLite: 12,600 to 12,800 enqueues a second of one caller, 63,000 to 66,000 of 32, 9,200 to 9,500 deliveries. PostgreSQL:
//! 2,950 to 2,970, 14,900 to 16,800, and 3,560 to 3,700. With a hundred thousand or a million rows as many as with ten
//! thousand (0.97 to 1.05). With 50,000 dead letters, the first page took about 1 ms, the counts beside it 4 to 6 ms, and to
//! find one by a name less than 1 ms. While compilers ran beside it, PostgreSQL's deliveries fell to 780 to 2,500. On a disk
//! with 130 to 400 raw inserts a second, SQLite took 494 enqueues of one caller and 5,955 of 32, PostgreSQL 206 and 4,140.
//!
//! `cargo bench --bench outbox --features postgres,sqlite`; with `-- 100000`, so many rows instead of a million.

#![expect(clippy::disallowed_methods, reason = "measures real time")]

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outrigger::Integration;
use outrigger::outbox::{
    ClaimRequest, DeadHead, DeadReason, Filter, Lane, LeaseRef, Message, Outbox, Outcome, Page,
    Report, Settlement,
};
use outrigger::testing::{Answer, Script};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(2);
/// Callers, or messages under way, at once.
const AT_ONCE: usize = 32;
/// As large as a small JSON body.
const BODY: [u8; 256] = [b'x'; 256];
/// The small table; a larger one may be slower or faster by this.
const FEW: usize = 10_000;
const TOLERATED: f64 = 0.3;
/// Dead letters of a bad day.
const DEAD: usize = 50_000;

/// A database that holds an outbox.
trait Engine {
    const NAME: &'static str;
    const FLOORS: Floors;

    /// Inserts a row into a table without indexes, in a transaction of its own.
    async fn insert(&self);

    /// An outbox in tables of its own.
    async fn outbox(&self, name: &str, lane: Option<Lane>) -> Outbox;

    /// Makes so many rows of the only one.
    async fn fill(&self, name: &str, rows: usize);
}

/// What plain queues on the same engines did a second, on a machine with two processors.
struct Floors {
    enqueues_of_one: f64,
    enqueues: f64,
    deliveries: f64,
    /// With 300 thousand rows.
    deliveries_of_many: f64,
}

#[tokio::main]
async fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    println!("{:>40} {:>10} {:>10} {:>10} {:>8}", "a second", "outbox", "floor", "raw", "to raw");
    measure(sqlite::Sqlite::new(), rows).await;
    #[cfg(feature = "postgres")]
    match postgres::Postgres::start().await {
        Some(engine) => measure(engine, rows).await,
        None => println!("PostgreSQL is not measured"),
    }
}

async fn measure<E: Engine>(engine: E, many: usize) {
    let Floors { enqueues_of_one, enqueues: floor, deliveries: few, deliveries_of_many } =
        E::FLOORS;
    for (callers, floor) in [(1, enqueues_of_one), (AT_ONCE, floor)] {
        let outbox = engine.outbox(&format!("enqueues_{callers}"), None).await;
        let raw = inserts(&engine).await;
        let rate = enqueues(&outbox, callers).await;
        show::<E>(&format!("enqueues, {callers} at once"), rate, Some(floor), raw);
    }
    let mut rates = Vec::new();
    for (rows, floor) in [(FEW, few), (many, deliveries_of_many)] {
        let name = format!("rows_{rows}");
        let sent = Arc::new(AtomicUsize::new(0));
        let outbox = engine.outbox(&name, Some(lane(&sent))).await;
        outbox.enqueue(message()).await.expect("it is stored");
        engine.fill(&name, rows).await;
        let raw = inserts(&engine).await;
        let delivered = deliveries(&outbox, &sent, rows).await;
        show::<E>(&format!("deliveries, {rows} rows"), delivered, Some(floor), raw);
        let raw = inserts(&engine).await;
        let enqueued = enqueues(&outbox, AT_ONCE).await;
        show::<E>(&format!("enqueues, {rows} rows"), enqueued, None, raw);
        rates.push([delivered, enqueued]);
    }
    people(&engine).await;
    for (what, at) in [("deliveries", 0), ("enqueues", 1)] {
        let ratio = rates[1][at] / rates[0][at];
        let is_held = ratio >= 1.0 - TOLERATED;
        println!(
            "{:>40} {ratio:>10.2} {}",
            format!("{} {what}, many rows to few", E::NAME),
            if is_held { "" } else { "slower than tolerated" }
        );
    }
}

/// What a person waits for, with many dead letters, in milliseconds.
async fn people<E: Engine>(engine: &E) {
    let outbox = engine.outbox("dead", None).await;
    let store = outbox.store();
    let ticket = outbox.enqueue(message().order_key("order 7")).await.expect("it is stored");
    let request = ClaimRequest {
        lane: "bench".into(),
        owner: "bench".into(),
        most: 1,
        lease: Duration::from_secs(60),
        key_lifetime: None,
        own_key_lifetime: None,
        dead_head: DeadHead::Blocks,
        batch: None,
        tenant_limit: None,
    };
    store.claim(request).await.expect("it is claimed");
    let (outcome, report) = (Outcome::Dead(DeadReason::Rejected), Report::default());
    let lease = LeaseRef { id: ticket.id, token: 1 };
    let dead = Settlement { lease, outcome, report, answer: None, unkept: None };
    store.settle(vec![dead]).await.expect("it is dead");
    engine.fill("dead", DEAD).await;
    let one = "00000000-0000-7000-8000-0000000061a8";
    let dead = || Filter::dead().lane("bench");
    for (what, filter) in [
        ("first page", dead()),
        ("find an id", Filter::all().named(one)),
        ("find nothing", Filter::all().named("nothing")),
    ] {
        let found = || outbox.browse(filter.clone(), Page::first(50));
        show_time::<E, _>(what, found).await;
    }
    show_time::<E, _>("counts", || outbox.stats("bench")).await;
}

/// The median of some.
async fn show_time<E: Engine, W: Future>(what: &str, work: impl Fn() -> W) {
    let mut times = Vec::new();
    for _ in 0..21 {
        let began = Instant::now();
        work().await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let name = format!("{} {what}, {DEAD} dead, ms", E::NAME);
    println!("{name:>40} {:>10.1}", times[10].as_secs_f64() * 1e3);
}

/// Inserts a second, measured right before each figure, because a disk's speed varies.
async fn inserts(engine: &impl Engine) -> f64 {
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < TIME {
        engine.insert().await;
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

fn show<E: Engine>(what: &str, rate: f64, floor: Option<f64>, raw: f64) {
    let name = format!("{} {what}", E::NAME);
    let floor = floor.map_or(String::new(), |floor| format!("{floor:.0}"));
    println!("{name:>40} {rate:>10.0} {floor:>10} {raw:>10.0} {:>8.1}", rate / raw);
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

/// To a provider that answers at once, and counts.
fn lane(sent: &Arc<AtomicUsize>) -> Lane {
    let sent = Arc::clone(sent);
    let provider = Integration::background("bench")
        .bulkhead(|places| places.concurrency(AT_ONCE as u32))
        .without_rate_limit()
        .service(Script::by(move |_| {
            sent.fetch_add(1, Ordering::Relaxed);
            Answer::status(200)
        }))
        .build()
        .expect("it can work");
    Lane::new(&provider).concurrency(AT_ONCE)
}

async fn deliveries(outbox: &Outbox, sent: &AtomicUsize, rows: usize) -> f64 {
    let runs = outbox.clone();
    let began = Instant::now();
    let run = tokio::spawn(async move { runs.run().await });
    // While there are enough for all callers.
    while began.elapsed() < TIME && sent.load(Ordering::Relaxed) + 2 * AT_ONCE < rows {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What is under way isn't delivered.
    let count = sent.load(Ordering::Relaxed).saturating_sub(AT_ONCE);
    let rate = count as f64 / began.elapsed().as_secs_f64();
    outbox.shut_down(Duration::from_secs(5));
    run.await.expect("a task").expect("it runs");
    rate
}

fn message() -> Message {
    Message::post("https://bench.example/jobs").lane("bench").body(BODY.to_vec())
}

/// The columns of a copy of a message, whose number is `n`.
fn copied(columns: &[String], id: &str) -> String {
    let value = |column: &String| match column.as_str() {
        "seq" => "n".to_owned(),
        "id" | "idempotency_key" => id.to_owned(),
        other => other.to_owned(),
    };
    columns.iter().map(value).collect::<Vec<_>>().join(", ")
}
