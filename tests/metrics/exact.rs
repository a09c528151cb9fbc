//! The provider counts too: both must have counted the same.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outrigger::backoff::Backoff;
use outrigger::integration::OwnClient;
use outrigger::{Body, IdempotencyKey, Integration, IntegrationBuilder};
use tokio::net::TcpListener;

use crate::trouble::Bench;

const ATTEMPTS: &str = "http_client_request_duration_seconds_count";

/// What the provider saw: requests, and how it ended them.
#[derive(Default)]
struct Books {
    requests: u32,
    statuses: BTreeMap<u16, u32>,
    hung: u32,
    hung_up: u32,
    broken_bodies: u32,
}

/// A provider on loopback that has every kind of trouble in turn.
struct Provider {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl Provider {
    async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, books) = (listener.local_addr()?, Arc::<Mutex<Books>>::default());
        let kept = Arc::clone(&books);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let books = Arc::clone(&kept);
                let answer = service_fn(move |request| answer(request, Arc::clone(&books)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
            }
        });
        Ok(Self { address, books })
    }
}

async fn answer(
    request: Request<Incoming>,
    books: Arc<Mutex<Books>>,
) -> io::Result<Response<Body>> {
    let _whole = request.into_body().collect().await;
    let trouble = {
        let mut books = books.lock().unwrap();
        books.requests += 1;
        let trouble = TROUBLES[books.requests as usize % TROUBLES.len()];
        match trouble {
            Trouble::Status(status) => *books.statuses.entry(status).or_default() += 1,
            Trouble::Hang => books.hung += 1,
            Trouble::HangUp => books.hung_up += 1,
            Trouble::HalfBody => {
                *books.statuses.entry(200).or_default() += 1;
                books.broken_bodies += 1;
            }
        }
        trouble
    };
    match trouble {
        Trouble::Status(status) => {
            let response = Response::builder().status(status).body(Body::from("{}"));
            Ok(response.expect("a response"))
        }
        Trouble::Hang => std::future::pending().await,
        Trouble::HangUp => Err(io::ErrorKind::ConnectionReset.into()),
        Trouble::HalfBody => {
            let half = stream::iter([Ok(Frame::data(Bytes::from_static(b"half")))]);
            let broken = stream::once(async {
                // What was written by then goes out first.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(io::Error::other("no other half"))
            });
            Ok(Response::new(Body::new(StreamBody::new(half.chain(broken)))))
        }
    }
}

#[derive(Clone, Copy)]
enum Trouble {
    Status(u16),
    Hang,
    HangUp,
    HalfBody,
}

const TROUBLES: [Trouble; 13] = [
    Trouble::Status(200),
    Trouble::Status(200),
    Trouble::Status(503),
    Trouble::Status(201),
    Trouble::HangUp,
    Trouble::Status(404),
    Trouble::Status(500),
    Trouble::Hang,
    Trouble::Status(200),
    Trouble::HalfBody,
    Trouble::Status(429),
    Trouble::Status(401),
    Trouble::Status(200),
];

/// So many calls at once and in a row; some with a key, some without.
async fn load(integration: &Integration, provider: SocketAddr) -> f64 {
    let calls = (0..CALLS).map(|order| async move {
        let method = if order % 3 == 0 { Method::POST } else { Method::GET };
        let uri = format!("http://{provider}/orders/{order}");
        let request = Request::builder().method(method).uri(uri).body(Body::from("{}"));
        let mut request = request.expect("a request");
        if order % 6 == 0 {
            let key = IdempotencyKey::from_business_key(format!("order {order}"));
            request.extensions_mut().insert(key);
        }
        if let Ok(response) = integration.send(request).await {
            let _read = response.into_body().bytes().await;
        }
    });
    stream::iter(calls).buffer_unordered(8).for_each(|()| async {}).await;
    f64::from(CALLS)
}

async fn agree(builder: IntegrationBuilder<OwnClient>) {
    let (bench, provider) = (Bench::new(), Provider::start().await.expect("a port"));
    let shop = builder
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .hyper(|client| client.connect_timeout(Duration::from_millis(300)))
        .timeout(|timeout| timeout.attempt(Duration::from_millis(300)))
        .without_rate_limit()
        .build()
        .expect("settings that work");
    let calls = load(&shop, provider.address).await;

    let (page, books) = (bench.page(), provider.books.lock().unwrap());
    let attempts = |labels: &[(&str, &str)]| page.sum(ATTEMPTS, labels);
    for (status, answered) in &books.statuses {
        let status = status.to_string();
        let label = [("http_response_status_code", status.as_str())];
        assert_eq!(attempts(&label), f64::from(*answered), "{status}");
    }
    assert_eq!(attempts(&[]), f64::from(books.requests), "all requests");
    assert_eq!(page.sum("outrigger_call_attempts_sum", &[]), f64::from(books.requests));
    assert_eq!(attempts(&[("outrigger_class", "timeout")]), f64::from(books.hung), "hung");
    let broken = [("outrigger_class", "transport"), ("http_response_status_code", "200")];
    assert_eq!(attempts(&broken), f64::from(books.broken_bodies), "half bodies");
    let gone = attempts(&[("outrigger_class", "transport")]) - attempts(&broken);
    assert_eq!(gone, f64::from(books.hung_up), "hung up");
    assert_eq!(page.sum("outrigger_calls_total", &[]), calls);
    assert_eq!(page.sum("outrigger_call_duration_seconds_count", &[]), calls);
    assert_eq!(page.sum("http_client_active_requests", &[]), 0.0);
    assert_eq!(page.sum("outrigger_bulkhead_in_use", &[]), 0.0);
    assert!(books.hung > 0 && books.hung_up > 0 && books.broken_bodies > 0 && books.requests > 60);
}

#[tokio::test]
async fn what_a_user_flow_counted_is_what_its_provider_counted() {
    agree(Integration::user_flow("shop")).await;
}

#[tokio::test]
async fn what_a_background_integration_counted_is_what_its_provider_counted() {
    let quick = |retry: outrigger::retry::RetryLayer| {
        retry.backoff(Backoff::fixed(Duration::from_millis(5)))
    };
    agree(Integration::background("shop").retry(quick)).await;
}

const CALLS: u32 = 120;
