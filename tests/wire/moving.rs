//! A provider that moves to another address.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outrigger::transport::hyper::{HyperConfig, Resolve, Resolved};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::calls::{get, user_flow};

/// Says where the provider is just now.
#[derive(Clone)]
struct Moving {
    moved: Arc<AtomicBool>,
}

impl Resolve for Moving {
    fn resolve(&self, host: &str) -> Resolved {
        assert_eq!(host, "crm.example");
        let last = if self.moved.load(Ordering::SeqCst) { 2 } else { 1 };
        Box::pin(async move { Ok(vec![SocketAddr::from(([127, 0, 0, last], 0))]) })
    }
}

/// Answers everybody with its name, for as long as the set lives.
fn serve(listener: TcpListener, name: &'static str, tasks: &mut JoinSet<()>) {
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(move |_: Request<Incoming>| async move {
                Ok::<_, Infallible>(Response::new(name.to_owned()))
            });
            connections.spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}

/// Both loopback addresses, on one port.
async fn two_houses() -> (TcpListener, TcpListener) {
    loop {
        let old = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = old.local_addr().unwrap().port();
        if let Ok(new) = TcpListener::bind(("127.0.0.2", port)).await {
            return (old, new);
        }
    }
}

async fn is_followed(adjust: fn(HyperConfig) -> HyperConfig) {
    let mut servers = JoinSet::new();
    let (old, new) = two_houses().await;
    let url = format!("http://crm.example:{}/", old.local_addr().unwrap().port());
    serve(old, "old", &mut servers);
    serve(new, "new", &mut servers);
    let moved = Arc::new(AtomicBool::new(false));
    let resolver = Moving { moved: Arc::clone(&moved) };
    let life = Duration::from_millis(300);
    let shop = user_flow()
        .without_retry()
        .hyper(|client| adjust(client.resolver(resolver).time_to_live(life)))
        .build()
        .unwrap();

    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let (shop, url) = (shop.clone(), url.clone());
        callers.spawn(async move {
            let mut calls = 0_u32;
            loop {
                calls += 1;
                let response = shop.send(get(&url)).await.expect("no call fails");
                if response.into_body().text().await.expect("nor its body") == "new" {
                    return calls;
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    moved.store(true, Ordering::SeqCst);
    // Each caller goes on without a pause until it has been led to the new address.
    let calls: u32 = callers.join_all().await.into_iter().sum();
    assert!(calls > 8, "there was load");
    let after = shop.send(get(&url)).await.unwrap().into_body().text().await.unwrap();
    assert_eq!(after, "new");
    assert!(shop.pool().unwrap().figures().closed.expired >= 1);
}

#[tokio::test]
async fn it_is_followed_under_load_and_no_call_fails() {
    is_followed(|client| client).await;
}

#[tokio::test]
async fn it_is_followed_under_load_over_http2_as_well() {
    is_followed(HyperConfig::http2_prior_knowledge).await;
}
