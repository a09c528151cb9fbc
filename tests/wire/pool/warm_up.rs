//! Connections before the first call.

use http::Uri;
use outrigger::outcome::{Fault, Phase};
use outrigger::{Delivery, ErrorKind};
use tokio::net::TcpListener;

use super::shop::{BOTH, Http1, Http2, Shop};
use crate::calls::{answered, deaf, get, said};
use crate::server::Server;

fn uri(of: &str) -> Uri {
    of.parse().unwrap()
}

#[tokio::test]
async fn a_warmed_up_pool_has_its_connections_before_the_first_call() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client);
    shop.pool().unwrap().warm_up(uri(&server.url("/")), 4).await.unwrap();
    server.until(|sockets| sockets.accepted == 4).await;
    let figures = shop.rests().await;
    assert_eq!((figures.open, figures.idle, figures.opened), (4, 4, 4));
    assert_eq!(server.sockets().requests, 0);
    let calls: Vec<_> = (0..4).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 4).await;
    server.let_go(4);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!(server.sockets().accepted, 4);
}

#[tokio::test]
async fn a_host_that_refuses_is_said_at_once_and_holds_no_place() {
    for protocol in BOTH {
        let (taken, address) = deaf();
        let to = uri(&format!("http://{address}/"));
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(2));
        let error = shop.pool().unwrap().warm_up(to.clone(), 2).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Transport(Fault::Refused), Delivery::NotSent));
        assert_eq!(shop.rests().await.opened, 0);
        drop(taken);
        let server = Server::at(address);
        shop.pool().unwrap().warm_up(to, 1).await.unwrap();
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!(server.sockets().accepted, 1);
    }
}

#[tokio::test]
async fn a_host_that_is_silent_is_said_after_the_time_for_connecting() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = uri(&format!("https://{}/", silent.local_addr().unwrap()));
    let limit = std::time::Duration::from_millis(50);
    let shop = Shop::new(Http1, |client| client.connect_timeout(limit));
    let error = shop.pool().unwrap().warm_up(to, 3).await.unwrap_err();
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
    shop.rests().await;
}

#[tokio::test]
async fn no_more_are_opened_than_the_pool_may_hold() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(2));
    shop.pool().unwrap().warm_up(uri(&server.url("/")), 10).await.unwrap();
    server.until(|sockets| sockets.accepted == 2).await;
    let calls: Vec<_> = (0..10).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(shop.rests().await.opened, 2);
    assert_eq!(server.sockets().accepted, 2);
}

#[tokio::test]
async fn one_connection_is_enough_for_http2() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client);
    for _ in 0..2 {
        shop.pool().unwrap().warm_up(uri(&server.url("/")), 5).await.unwrap();
    }
    let calls: Vec<_> = (0..20).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(shop.rests().await.opened, 1);
    assert_eq!(server.sockets().accepted, 1);
}

#[tokio::test]
async fn a_warm_up_that_is_dropped_leaves_nothing_behind() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = uri(&format!("https://{}/", silent.local_addr().unwrap()));
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(2));
    let pool = shop.pool().unwrap().clone();
    let warming = tokio::spawn(async move { pool.warm_up(to, 2).await });
    let _sockets = (silent.accept().await.unwrap(), silent.accept().await.unwrap());
    assert_eq!(shop.figures().connecting, 2);
    warming.abort();
    assert_eq!(shop.rests().await.opened, 0);
}

#[tokio::test]
async fn calls_that_come_during_the_warm_up_are_served_too() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(2));
        let pool = shop.pool().unwrap().clone();
        let to = uri(&server.url("/"));
        let warming = tokio::spawn(async move { pool.warm_up(to, 2).await });
        let calls: Vec<_> = (0..10).map(|_| shop.spawn(get(server.url("/slow")))).collect();
        warming.await.unwrap().unwrap();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), "well");
        }
        let most = if protocol == Http1 { 2 } else { 1 };
        assert!(server.sockets().accepted <= most, "{protocol:?}");
        shop.rests().await;
    }
}

#[tokio::test]
async fn an_address_that_names_no_host_is_the_callers_mistake() {
    let shop = Shop::new(Http1, |client| client);
    for to in ["/orders", "ftp://files.example/"] {
        let error = shop.pool().unwrap().warm_up(uri(to), 1).await.unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent), "{to}");
    }
    shop.rests().await;
}
