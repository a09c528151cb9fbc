//! What a hit, a miss and a confirmed stale answer cost, beside http-cache over reqwest-middleware.
//!
//! Both have one reqwest client each, room for as many answers in memory, the same provider on the loopback, and the
//! same calls in turn, each first in half of them, so that the machine's moods are in both. The median of each is
//! printed, in microseconds. What the provider saw shows that both did what the row says. outrigger's has all that the
//! preset `user_flow` has; the other has its cache.
//!
//! Seven runs, with http-cache 1.0.0-alpha.6, on two busy cores: use the ratios.
//!
//! | µs, median | outrigger | http-cache | ratio |
//! |---|---|---|---|
//! | hit | 1.9 to 2.0 | 10.7 to 11.2 | 0.18 in all |
//! | miss | 33 to 37 | 29 to 33 | 1.12 to 1.15 |
//! | stale, confirmed | 30 to 32, once 104 | 36 to 38, once 106 | 0.81 to 0.83, once 0.98 |

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_cache_reqwest::{Cache, CacheMode, HttpCache, HttpCacheOptions, MokaCache, MokaManager};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outrigger::Integration;
use outrigger::cache::CacheLayer;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const CALLS: u32 = 2_000;
/// As many as outrigger's by default.
const KEPT: u64 = 10_000;

/// How many requests the provider saw, and how many of them it confirmed by a 304.
#[derive(Default)]
struct Seen {
    all: AtomicU32,
    confirmed: AtomicU32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let seen = Arc::new(Seen::default());
    let to = serve(Arc::clone(&seen)).await;
    let client = || reqwest::Client::builder().no_proxy().build().unwrap();
    let cache = Cache(HttpCache {
        mode: CacheMode::Default,
        // By default it keeps 42.
        manager: MokaManager::new(MokaCache::new(KEPT)),
        options: HttpCacheOptions::default(),
    });
    let theirs = ClientBuilder::new(client()).with(cache).build();
    let ours = Integration::user_flow("rates").reqwest(client()).cache(CacheLayer::new());
    let ours = ours.build().unwrap();
    println!("{:<24} {:>12} {:>12} {:>8}", "µs, median", "outrigger", "http-cache", "ratio");
    let both = 2 * CALLS;
    for (name, path, differs, expected) in [
        ("hit", "fresh", false, [2, 0]),
        ("miss", "fresh", true, [both, 0]),
        ("stale, confirmed", "stale", false, [both, both - 2]),
    ] {
        let uri = |number: u32| match differs {
            true => format!("http://{to}/{path}/{number}"),
            false => format!("http://{to}/{path}"),
        };
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..CALLS {
            let uri = uri(number);
            for which in [number % 2, 1 - number % 2] {
                let time = match which {
                    0 => timed(ask(&ours, &uri)).await,
                    _ => timed(ask_middleware(&theirs, &uri)).await,
                };
                times[which as usize].push(time);
            }
        }
        let counts = [&seen.all, &seen.confirmed].map(|count| count.swap(0, Ordering::Relaxed));
        assert_eq!(counts, expected, "{name}: requests, and those that were confirmed");
        let [ours, theirs] = times.map(median);
        println!("{name:<24} {ours:>12.1} {theirs:>12.1} {:>8.2}", ours / theirs);
    }
}

async fn ask(to: &Integration, uri: &str) {
    let answer = to.get(uri).send().await.unwrap();
    assert_eq!(answer.into_body().bytes().await.unwrap().len(), BODY.len());
}

async fn ask_middleware(to: &ClientWithMiddleware, uri: &str) {
    let answer = to.get(uri).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().len(), BODY.len());
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let began = Instant::now();
    work.await;
    began.elapsed()
}

/// In microseconds, without the first tenth, in which things warm up.
fn median(mut times: Vec<Duration>) -> f64 {
    times.drain(..times.len() / 10);
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// A provider on the loopback, in a thread of its own.
async fn serve(seen: Arc<Seen>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request| {
                    let answer = answer(&request, &seen);
                    async { Ok::<_, Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
    });
    address
}

fn answer(request: &Request<Incoming>, seen: &Seen) -> Response<Full<Bytes>> {
    let is_stale = request.uri().path().starts_with("/stale");
    let is_known = request.headers().contains_key("if-none-match");
    seen.all.fetch_add(1, Ordering::Relaxed);
    seen.confirmed.fetch_add(u32::from(is_known), Ordering::Relaxed);
    let body = if is_known { &b""[..] } else { BODY };
    let mut answer = Response::new(Full::new(Bytes::from_static(body)));
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let control = if is_stale { "max-age=0" } else { "max-age=86400" };
    let headers = answer.headers_mut();
    headers.insert("cache-control", HeaderValue::from_static(control));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("etag", HeaderValue::from_static("\"33a64df5\""));
    answer
}

const BODY: &[u8] = &[b'x'; 200];
