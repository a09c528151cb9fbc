//! Connections that can't be made, and what is said of each.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use outrigger::outcome::{Fault, Phase};
use outrigger::transport::hyper::{Resolve, Resolved};
use outrigger::{Delivery, Error, ErrorKind};
use tokio::net::TcpListener;

use super::shop::{BOTH, Http1, Shop};
use crate::calls::{Blackhole, answered, deaf, failed, get, post, said};
use crate::server::Server;

const LIMIT: Duration = Duration::from_millis(80);

/// Fails to connect in time.
async fn times_out(shop: &Shop, url: &str) -> Error {
    let error = failed(shop, post(url, "an order")).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
    assert_eq!(error.limit(), Some(LIMIT));
    assert!(error.is_connect() && error.is_timeout());
    shop.rests().await;
    error
}

/// The text of an error of a connection to `url` that was not made in time.
fn late(url: &str, why: &str) -> String {
    let url: http::Uri = url.parse().unwrap();
    format!("shop: connect timed out after 80ms at {}: {why}", url.authority().unwrap())
}

#[tokio::test]
async fn a_host_that_takes_the_connection_and_says_nothing_is_named_so() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    for protocol in BOTH {
        let shop = Shop::new(protocol, |client| client.connect_timeout(LIMIT));
        let error = times_out(&shop, &url).await;
        assert_eq!(
            error.to_string(),
            late(&url, "the host took the connection, and then was silent")
        );
    }
}

#[tokio::test]
async fn a_host_that_does_not_take_the_connection_is_named_so() {
    let hole = Blackhole::new().await;
    for scheme in ["http", "https"] {
        let shop = Shop::new(Http1, |client| client.connect_timeout(LIMIT));
        let url = format!("{scheme}://{}/", hole.address);
        let error = times_out(&shop, &url).await;
        assert_eq!(error.to_string(), late(&url, "the host did not take the connection"));
    }
}

/// Finds everybody here, or nobody ever.
enum Names {
    At(SocketAddr),
    Never,
    Fail,
}

impl Resolve for Names {
    fn resolve(&self, _: &str) -> Resolved {
        match *self {
            Self::At(address) => Box::pin(async move { Ok(vec![address]) }),
            Self::Never => Box::pin(std::future::pending()),
            Self::Fail => Box::pin(async { Err(io::Error::other("no such name")) }),
        }
    }
}

#[tokio::test]
async fn a_name_that_is_not_resolved_in_time_is_named_so() {
    let shop = Shop::new(Http1, |client| client.connect_timeout(LIMIT).resolver(Names::Never));
    let error = times_out(&shop, "http://shop.example/").await;
    let text =
        "shop: connect timed out after 80ms at shop.example:80: the host's name was not resolved";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_name_that_resolves_to_a_silent_host_blames_the_host() {
    let hole = Blackhole::new().await;
    let url = format!("http://shop.example:{}/", hole.address.port());
    let shop =
        Shop::new(Http1, |client| client.connect_timeout(LIMIT).resolver(Names::At(hole.address)));
    let error = times_out(&shop, &url).await;
    assert!(error.to_string().ends_with("the host did not take the connection"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_and_a_port_that_refuses_are_named_apart() {
    let shop = Shop::new(Http1, |client| client.resolver(Names::Fail));
    let error = failed(&shop, get("http://shop.example/")).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Dns), Delivery::NotSent));
    assert_eq!(error.to_string(), "shop: name could not be resolved for shop.example:80");
    let (_taken, address) = deaf();
    let error = failed(&shop, get(format!("http://{address}/"))).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Refused), Delivery::NotSent));
    assert_eq!(error.to_string(), format!("shop: connection refused by {address}"));
    assert_eq!(shop.rests().await.opened, 0);
}

#[tokio::test]
async fn a_host_is_asked_for_by_its_name_and_found_by_the_resolver() {
    let server = Server::start();
    let url = format!("http://shop.example:{}/", server.address().port());
    for protocol in BOTH {
        let shop = Shop::new(protocol, |client| client.resolver(Names::At(server.address())));
        assert_eq!(answered(&shop, get(&url)).await.body(), "well");
    }
}

#[tokio::test]
async fn callers_who_wait_are_not_stuck_behind_a_host_that_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    for protocol in BOTH {
        let shop =
            Shop::new(protocol, |client| client.connect_timeout(LIMIT).max_connections_per_host(1));
        let calls: Vec<_> = (0..4).map(|_| shop.spawn(get(&url))).collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
        }
        assert_eq!(shop.rests().await.opened, 0);
    }
}
