//! A worker process that is killed at random, while a provider on the loopback keeps the log that judges.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outrigger::Integration;
use outrigger::outbox::rusqlite::Connection;
use outrigger::outbox::{Filter, Lane, Message, Outbox, Page, Schedule, UnknownOutcome};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::sqlite::Folder;

/// How often the process is killed.
const KILLS: usize = 40;
/// How many messages are under way at a time.
const CONCURRENCY: usize = 4;
/// How long the last process may take for what is left, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Names the file and the provider for the process that works.
const FILE: &str = "OUTRIGGER_TEST_OUTBOX_FILE";
const URL: &str = "OUTRIGGER_TEST_OUTBOX_URL";
/// Set for the last process, which enqueues nothing.
const LAST: &str = "OUTRIGGER_TEST_OUTBOX_LAST";

/// What the provider saw, in order.
#[derive(Clone, Debug)]
struct Seen {
    key: String,
    body: String,
    status: StatusCode,
}

/// A process that is killed at the end, whatever becomes of the test: by SIGKILL on Unix.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_and_repeats_have_one_key_whenever_the_process_is_killed()
{
    let (folder, log) = (Folder::new(), Log::default());
    let url = serve(Arc::clone(&log)).await;
    let (mut accepted, mut draw) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64);
    for nth in 0..KILLS {
        let (child, reads, first) = start(&folder, &url, false);
        if nth % 2 == 0 {
            // The others are killed while they start, too.
            tokio::time::timeout(PATIENCE, first).await.expect("it accepts a message").unwrap();
        }
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(60 + (draw >> 33) % 240)).await;
        drop(child);
        accepted.extend(reads.join().unwrap());
    }
    let (mut child, reads, _) = start(&folder, &url, true);
    let ended = tokio::task::spawn_blocking(move || child.0.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "the last process delivers the rest");
    reads.join().unwrap();
    judge(&folder, &accepted, &log.lock().unwrap());
}

fn judge(folder: &Folder, accepted: &[String], log: &[Seen]) {
    assert!(accepted.len() >= KILLS / 2, "only {} messages were accepted", accepted.len());
    let mut arrived: HashMap<&str, (&str, usize)> = HashMap::new();
    let mut last_of: BTreeMap<&str, usize> = BTreeMap::new();
    for Seen { key, body, .. } in log {
        let (first, times) = arrived.entry(key).or_insert((body, 0));
        assert_eq!(first, body, "a repetition has the same bytes");
        *times += 1;
        let (order, number) = body.split_once(' ').unwrap();
        let number: usize = number.parse().unwrap();
        let last = last_of.entry(order).or_default();
        assert!(number >= *last, "{number} of key {order} arrived after {last}");
        *last = number;
    }
    let is_done =
        |key: &String| log.iter().any(|seen| seen.key == *key && seen.status == StatusCode::OK);
    let lost: Vec<_> = accepted.iter().filter(|key| !is_done(key)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), accepted.len());
    let repeats: usize = arrived.values().map(|(_, times)| times - 1).sum();
    let failures = log.iter().filter(|seen| seen.status != StatusCode::OK).count();
    assert!(repeats <= failures + KILLS * CONCURRENCY, "{repeats} repeats, {failures} failures");

    // What settled them was written once each, in the transaction that marked them delivered.
    let file = Connection::open(folder.file()).unwrap();
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let delivered = count("SELECT count(*) FROM outrigger_message WHERE state = 'delivered'");
    assert_eq!(count("SELECT count(*) FROM outrigger_message"), delivered);
    assert_eq!(count("SELECT count(*) FROM charges"), delivered);
    assert_eq!(count("SELECT count(DISTINCT message) FROM charges"), delivered);
    println!(
        "{} accepted, {} requests, {repeats} repeats, {failures} failures",
        accepted.len(),
        log.len()
    );
}

/// Starts the process, and the thread that reads which messages it has accepted and tells of the first.
fn start(
    folder: &Folder,
    url: &str,
    is_last: bool,
) -> (Killed, JoinHandle<Vec<String>>, oneshot::Receiver<()>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::the_process_that_is_killed", "--exact", "--nocapture"]);
    command.env(FILE, folder.file()).env(URL, url).stdout(Stdio::piped()).stderr(Stdio::null());
    if is_last {
        command.env(LAST, "yes");
    }
    let mut child = command.spawn().unwrap();
    let stdout = child.stdout.take().unwrap();
    let (tell, first) = oneshot::channel();
    let reads = std::thread::spawn(move || {
        let (mut accepted, mut tell) = (Vec::new(), Some(tell));
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // A line without an end was cut by the kill.
            if let Some(key) =
                line.strip_suffix('\n').and_then(|line| line.strip_prefix("accepted "))
            {
                accepted.push(key.to_owned());
                if let Some(tell) = tell.take() {
                    let _ = tell.send(());
                }
            }
            line.clear();
        }
        accepted
    });
    (Killed(child), reads, first)
}

/// Started by the test above, in a process of its own; else it has nothing to do.
#[tokio::test]
async fn the_process_that_is_killed() {
    let (Ok(file), Ok(url)) = (std::env::var(FILE), std::env::var(URL)) else { return };
    let table = "CREATE TABLE IF NOT EXISTS charges (message TEXT)";
    let host = Connection::open(&file).unwrap();
    host.busy_timeout(Duration::from_secs(5)).unwrap();
    host.execute_batch(table).unwrap();
    drop(host);
    let mailer = Integration::background("mailer").base_url(&url).build().unwrap();
    let lane = Lane::new(&mailer)
        .concurrency(CONCURRENCY)
        .schedule(Schedule::new([Duration::from_millis(20)]))
        .unknown_outcome(UnknownOutcome::Resend);
    let outbox = Outbox::sqlite(&file)
        .lane(lane)
        .on_delivered("mailer", |tx, message, _| {
            tx.execute("INSERT INTO charges VALUES (?1)", [message.content.id.to_string()])?;
            Ok(())
        })
        .build()
        .unwrap();
    let runs = outbox.clone();
    let run = tokio::spawn(async move { runs.run().await.unwrap() });
    if std::env::var(LAST).is_ok() {
        let ends = async {
            loop {
                // Both of one moment.
                let stats = outbox.stats("mailer").await.unwrap();
                if stats.ready + stats.leased == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ends).await.expect("everything comes to an end");
        outbox.shut_down(Duration::from_secs(5));
        return run.await.unwrap();
    }
    // Numbers go on where the process before this one ended.
    let page = Page::first(1_000);
    let mut next = 0;
    let mut page_of = page;
    loop {
        let found = outbox.browse(Filter::all(), page_of).await.unwrap();
        next += found.len();
        let Some(last) = found.last() else { break };
        page_of = Page::after(last.seq, 1_000);
    }
    let began = tokio::time::Instant::now();
    for number in next.. {
        // Nobody kills it if the test was ended.
        assert!(began.elapsed() < PATIENCE);
        let order = format!("key-{}", number % 5);
        let message = Message::post("/mails").body(format!("{order} {number}")).order_key(order);
        let ticket = outbox.enqueue(message.max_attempts(1_000)).await.unwrap();
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "accepted {}", ticket.idempotency_key).unwrap();
        stdout.flush().unwrap();
        drop(stdout);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A provider that logs each request before it answers, and fails every seventh.
async fn serve(log: Log) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            let service = service_fn(move |request| answer(request, Arc::clone(&log)));
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

async fn answer(
    request: Request<Incoming>,
    log: Log,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let key = request.headers()["idempotency-key"].to_str().unwrap().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let status = {
        let mut log = log.lock().unwrap();
        let fails = log.len() % 7 == 3;
        let status = if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        log.push(Seen { key, body, status });
        status
    };
    // So that kills find requests under way.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    Ok(response)
}
