//! What the own client's pool costs a call under contention, beside hyper-util's legacy client and
//! reqwest, in one run.
//!
//! `cargo bench --bench pool --features reqwest`, about 26 s; `-- HTTP/2` runs the scenarios so
//! named. A server in this process answers a small body at once, over loopback, on a thread and a runtime of its own. Callers on one thread,
//! or on two, begin a call when their last has ended. A latency begins when a caller wants to call,
//! waits for a connection included, and ends with the body. `cpu` is what the callers' threads
//! worked for a call (Linux only); it tells clients apart where the server is the limit.
//!
//! hyper-util's client and reqwest can't bound their connections. Where there is a bound, a
//! semaphore of that size stands in front of them, held to the end of the body; the own pool has a
//! bound of its own. Where there is none, and over HTTP/2's one connection, nobody has either. Idle
//! limits, `TCP_NODELAY` and HTTP/2 pings are set alike. The fourth row is the own client below all
//! layers of an integration but the breaker.
//!
//! The contenders take turns in short rounds, so that the machine's noise is in all of them. A cell
//! is the median over the rounds; a ratio is the median of each round's ratio to the bare client,
//! with its quartiles. `opened` counts the connections that the server accepted in all rounds. With
//! more busy threads than processors, a round measures the scheduler too: read the ratio's quartiles.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Integration};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Service, ServiceExt};

/// How many call, and over what.
#[derive(Clone, Copy)]
struct Scenario {
    name: &'static str,
    callers: usize,
    /// Threads that the callers are on.
    workers: usize,
    /// How many connections there may be; without a bound where there is none.
    connections: Option<u32>,
    http2: bool,
}

/// A client and its own door of the server.
struct Contender {
    name: &'static str,
    callers: Callers,
    opened: Arc<AtomicU32>,
    rounds: Vec<Round>,
}

/// Lets all callers call until it is time; the latencies of their calls.
type Callers = Box<dyn Fn(Instant) -> Pin<Box<dyn Future<Output = Vec<Duration>>>>>;

/// What one contender came to in one round.
#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    p50: f64,
    p99: f64,
    /// What the callers' threads worked for one call, in microseconds.
    cpu: f64,
}

/// Stands in for a bound on connections.
#[derive(Clone)]
struct Gate(Option<Arc<Semaphore>>);

fn main() {
    let server = serve();
    println!("cells: median of {ROUNDS} rounds of {ROUND:?}; ratios: median (quartiles)");
    let named = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for scenario in SCENARIOS.into_iter().filter(|scenario| scenario.name.contains(&named)) {
        let clients = scenario.clients();
        let mut contenders: Vec<_> =
            [bare, own, reqwest, integration].map(|new| new(&scenario, server.handle())).into();
        for round in 0..=ROUNDS {
            for contender in &mut contenders {
                let result = run(contender, &clients);
                // The first opens the connections.
                if round > 0 {
                    contender.rounds.push(result);
                }
            }
        }
        print(&scenario, &contenders);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn run(contender: &Contender, clients: &Runtime) -> Round {
    let (begun, worked) = (Instant::now(), worked());
    let latencies = clients.block_on((contender.callers)(begun + ROUND));
    Round::of(begun.elapsed(), self::worked().saturating_sub(worked), latencies)
}

/// For how long all threads of the callers have been on a processor, where the system tells.
fn worked() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let on_processor = threads.filter_map(|thread| {
        let of = |file| std::fs::read_to_string(thread.path().join(file)).ok();
        (of("comm")?.trim() == CALLERS).then_some(())?;
        of("schedstat")?.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    on_processor.sum()
}

fn print(scenario: &Scenario, contenders: &[Contender]) {
    let ratios = ["calls/s", "p50", "p99", "cpu"].map(|of| format!("{of:<20}")).concat();
    println!("\n{}", scenario.name);
    println!(
        "  {:<22}{:>9}{:>9}{:>9}{:>9}{:>8}   ratio {}",
        "",
        "calls/s",
        "p50 µs",
        "p99 µs",
        "cpu µs",
        "opened",
        ratios.trim_end()
    );
    let bare = &contenders[0].rounds;
    for Contender { name, rounds, opened, .. } in contenders {
        let of: [fn(&Round) -> f64; 4] = [|r| r.per_second, |r| r.p50, |r| r.p99, |r| r.cpu];
        let [per_second, p50, p99, cpu] = of.map(|of| quartiles(rounds.iter().map(of))[1]);
        let ratios = of.map(|of| {
            let ratios = rounds.iter().zip(bare).map(|(own, bare)| of(own) / of(bare));
            let [low, middle, high] = quartiles(ratios);
            format!("{:<20}", format!("{middle:.3} ({low:.3}–{high:.3})"))
        });
        let opened = opened.load(Ordering::Relaxed);
        println!(
            "  {name:<22}{per_second:>9.0}{p50:>9.1}{p99:>9.1}{cpu:>9.2}{opened:>8}         {}",
            ratios.concat().trim_end()
        );
    }
}

impl Scenario {
    const fn new(name: &'static str, callers: usize) -> Self {
        Self { name, callers, workers: 1, connections: None, http2: false }
    }

    const fn connections(self, connections: u32) -> Self {
        Self { connections: Some(connections), ..self }
    }

    const fn two(self) -> Self {
        Self { workers: 2, ..self }
    }

    const fn http2(self) -> Self {
        Self { http2: true, ..self }
    }

    /// The runtime that the callers are on.
    fn clients(&self) -> Runtime {
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(self.workers).thread_name(CALLERS).enable_all().build().unwrap()
    }
}

// === the contenders ===

fn bare(scenario: &Scenario, server: &Handle) -> Contender {
    let (to, opened) = door(scenario, server);
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_only(scenario.http2)
        .http2_keep_alive_interval(PING)
        .build(tcp);
    let gate = Gate::new(scenario);
    let callers = callers(scenario.callers, move || {
        let (client, gate, to) = (client.clone(), gate.clone(), to.clone());
        async move {
            let _passed = gate.pass().await;
            let mut request = Request::new(Empty::new());
            *request.uri_mut() = to;
            let answer = client.request(request).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        }
    });
    Contender::new("hyper-util", callers, opened)
}

fn own(scenario: &Scenario, server: &Handle) -> Contender {
    let (to, opened) = door(scenario, server);
    let transport = settings(HyperConfig::new(), scenario).build().unwrap();
    let callers = callers(scenario.callers, move || {
        let (mut transport, to) = (transport.clone(), to.clone());
        async move {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = to;
            let answer = transport.ready().await.unwrap().call(request).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        }
    });
    Contender::new("outrigger, pool", callers, opened)
}

fn reqwest(scenario: &Scenario, server: &Handle) -> Contender {
    let (to, opened) = door(scenario, server);
    let mut client = reqwest::Client::builder()
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(scenario.connections.map_or(usize::MAX, |most| most as usize));
    if scenario.http2 {
        client = client.http2_prior_knowledge().http2_keep_alive_interval(PING);
    }
    let (client, gate) = (client.build().unwrap(), Gate::new(scenario));
    let to: reqwest::Url = to.to_string().parse().unwrap();
    let callers = callers(scenario.callers, move || {
        let (client, gate, to) = (client.clone(), gate.clone(), to.clone());
        async move {
            let _passed = gate.pass().await;
            client.get(to).send().await.unwrap().bytes().await.unwrap()
        }
    });
    Contender::new("reqwest", callers, opened)
}

fn integration(scenario: &Scenario, server: &Handle) -> Contender {
    let (to, opened) = door(scenario, server);
    let integration = Integration::user_flow("x")
        .without_breaker()
        .bulkhead(|bulkhead| bulkhead.concurrency(scenario.callers as u32))
        .hyper(|client| settings(client, scenario))
        .build()
        .unwrap();
    let callers = callers(scenario.callers, move || {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = to.clone();
        let call = integration.send(request);
        async move { call.await.unwrap().into_body().bytes().await.unwrap() }
    });
    Contender::new("outrigger, integration", callers, opened)
}

fn settings(mut client: HyperConfig, scenario: &Scenario) -> HyperConfig {
    client = client.pool_idle_timeout(IDLE).http2_ping(PING, IDLE);
    if let Some(connections) = scenario.connections {
        client = client
            .max_connections_per_host(connections)
            .pool_max_idle_per_host(connections as usize);
    }
    if scenario.http2 { client.http2_prior_knowledge() } else { client }
}

impl Contender {
    fn new(name: &'static str, callers: Callers, opened: Arc<AtomicU32>) -> Self {
        Self { name, callers, opened, rounds: Vec::new() }
    }
}

impl Gate {
    fn new(scenario: &Scenario) -> Self {
        Self(scenario.connections.map(|most| Arc::new(Semaphore::new(most as usize))))
    }

    async fn pass(&self) -> Option<OwnedSemaphorePermit> {
        let gate = Arc::clone(self.0.as_ref()?);
        gate.acquire_owned().await.ok()
    }
}

// === the callers ===

/// Callers that each begin a call when their last has ended.
fn callers<F>(number: usize, call: impl Fn() -> F + Clone + Send + 'static) -> Callers
where
    F: Future<Output = Bytes> + Send + 'static,
{
    Box::new(move |until| {
        let call = call.clone();
        Box::pin(async move {
            let tasks: Vec<_> = (0..number).map(|_| spawn(until, call.clone())).collect();
            let mut latencies = Vec::new();
            for task in tasks {
                latencies.extend(task.await.unwrap());
            }
            latencies
        })
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time, on real tasks")]
fn spawn<F>(
    until: Instant,
    call: impl Fn() -> F + Send + 'static,
) -> tokio::task::JoinHandle<Vec<Duration>>
where
    F: Future<Output = Bytes> + Send + 'static,
{
    tokio::spawn(async move {
        let mut latencies = Vec::with_capacity(4096);
        loop {
            let begun = Instant::now();
            if begun >= until {
                return latencies;
            }
            assert_eq!(call().await, ANSWER);
            latencies.push(begun.elapsed());
        }
    })
}

impl Round {
    fn of(lasted: Duration, worked: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |share: f64| {
            let index = (latencies.len() as f64 * share) as usize;
            latencies[index].as_secs_f64() * 1e6
        };
        let calls = latencies.len() as f64;
        let cpu = worked.as_secs_f64() * 1e6 / calls;
        Self { per_second: calls / lasted.as_secs_f64(), p50: at(0.5), p99: at(0.99), cpu }
    }
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

// === the server ===

/// A runtime on a thread of its own; it ends with the process.
fn serve() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A new port of the server, and how many connections it has taken.
fn door(scenario: &Scenario, server: &Handle) -> (Uri, Arc<AtomicU32>) {
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
    let opened = Arc::new(AtomicU32::new(0));
    server.spawn(accept(listener, Arc::clone(&opened), scenario.http2));
    (format!("http://{address}/v1/charges").parse().unwrap(), opened)
}

#[expect(clippy::disallowed_methods, reason = "a server has a task for each connection")]
async fn accept(listener: TcpListener, opened: Arc<AtomicU32>, http2: bool) {
    while let Ok((connection, _)) = listener.accept().await {
        opened.fetch_add(1, Ordering::Relaxed);
        connection.set_nodelay(true).unwrap();
        let (io, answer) = (TokioIo::new(connection), hyper::service::service_fn(answer));
        tokio::spawn(async move {
            match http2 {
                true => {
                    let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    server.max_concurrent_streams(1024).serve_connection(io, answer).await
                }
                false => {
                    let server = hyper::server::conn::http1::Builder::new();
                    server.serve_connection(io, answer).await
                }
            }
        });
    }
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(ANSWER))))
}

const SCENARIOS: [Scenario; 6] = [
    Scenario::new("HTTP/1.1, 200 callers, 8 connections", 200).connections(8),
    Scenario::new("HTTP/1.1, 200 callers on two threads, 8 connections", 200).two().connections(8),
    Scenario::new("HTTP/1.1, 8 callers, 8 connections", 8).connections(8),
    Scenario::new("HTTP/1.1, 8 callers, no bound", 8),
    Scenario::new("HTTP/2 by prior knowledge, 200 callers", 200).http2(),
    Scenario::new("HTTP/2 by prior knowledge, 200 callers on two threads", 200).two().http2(),
];
/// Enough for a median that a few disturbed rounds don't move.
const ROUNDS: usize = 11;
/// Long against a call, short against what else the machine does.
const ROUND: Duration = Duration::from_millis(90);
/// Longer than the run: no connection ages in it.
const IDLE: Duration = Duration::from_secs(90);
/// The own client's default.
const PING: Duration = Duration::from_secs(20);
/// The name of the threads that the callers are on.
const CALLERS: &str = "callers";
const ANSWER: &[u8] = br#"{"id":"ch_1042","amount":1000}"#;
