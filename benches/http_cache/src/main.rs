//! What a hit, a miss and a confirmed stale answer cost, beside http-cache over reqwest-middleware.
//!
//! Both have one reqwest client each, the same provider on the loopback, and the same calls in turn, so
//! that the machine's moods are in both. The median of each is printed, in microseconds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use http_cache_reqwest::{Cache, CacheMode, HttpCache, HttpCacheOptions, MokaManager};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outrigger::Integration;
use outrigger::cache::CacheLayer;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const CALLS: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let to = serve().await;
    let client = || reqwest::Client::builder().no_proxy().build().unwrap();
    let cache = Cache(HttpCache {
        mode: CacheMode::Default,
        manager: MokaManager::default(),
        options: HttpCacheOptions::default(),
    });
    let theirs = ClientBuilder::new(client()).with(cache).build();
    let ours = Integration::user_flow("rates").reqwest(client()).cache(CacheLayer::new());
    let ours = ours.build().unwrap();
    println!("{:<24} {:>12} {:>12}", "µs, median", "outrigger", "http-cache");
    for (name, path, differs) in
        [("hit", "fresh", false), ("miss", "fresh", true), ("stale, confirmed", "stale", false)]
    {
        let uri = |number: u32| match differs {
            true => format!("http://{to}/{path}/{number}"),
            false => format!("http://{to}/{path}"),
        };
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..CALLS {
            let uri = uri(number);
            times[0].push(timed(ask(&ours, &uri)).await);
            times[1].push(timed(ask_middleware(&theirs, &uri)).await);
        }
        let [ours, theirs] = times.map(median);
        println!("{name:<24} {ours:>12.1} {theirs:>12.1}");
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
async fn serve() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
    });
    address
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let is_stale = request.uri().path().starts_with("/stale");
    let is_known = request.headers().contains_key("if-none-match");
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
