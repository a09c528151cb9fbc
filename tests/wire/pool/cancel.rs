//! Callers who go away.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::TcpListener;

use super::shop::{BOTH, Http1, Shop};
use crate::calls::{answered, get};
use crate::server::Server;

#[tokio::test]
async fn a_caller_who_goes_away_while_it_waits_costs_nobody_else_a_place() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    let (first, second) = (shop.spawn(get(server.url("/1"))), shop.spawn(get(server.url("/2"))));
    shop.until(|now| now.waiting == 2).await;
    first.abort();
    shop.until(|now| now.waiting == 1).await;
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap().unwrap(), "well");
    assert_eq!(server.targets(), ["/gated", "/2"]);
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test]
async fn a_connection_that_was_given_to_a_caller_who_just_went_away_goes_to_the_next() {
    for path in ["/gated", "/last"] {
        let server = Server::start();
        let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
        let mut held = Box::pin(shop.send(get(server.url(path))));
        assert!((&mut held).now_or_never().is_none());
        // Polled once, and not again: what it is given stays with it, unseen.
        let mut first = Box::pin(shop.send(get(server.url("/1"))));
        assert!((&mut first).now_or_never().is_none());
        let second = shop.spawn(get(server.url("/2")));
        shop.until(|now| now.waiting == 2).await;
        server.let_go(1);
        held.await.unwrap().into_body().text().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.await.unwrap().unwrap(), "well");
        assert_eq!(server.targets(), [path, "/2"]);
        shop.rests().await;
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_while_it_connects_frees_its_place() {
    for protocol in BOTH {
        // Takes connections, and never says a word of TLS.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", silent.local_addr().unwrap());
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(1));
        let mut sockets = Vec::new();
        let mut first = shop.spawn(get(&url));
        for _ in 0..5 {
            sockets.push(silent.accept().await.unwrap());
            let second = shop.spawn(get(&url));
            shop.until(|now| now.waiting == 1).await;
            let figures = shop.figures();
            assert_eq!((figures.connecting, figures.open), (1, 0));
            first.abort();
            first = second;
        }
        sockets.push(silent.accept().await.unwrap());
        first.abort();
        shop.rests().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_go_away_at_any_moment_leave_nothing_behind() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(4));
        let calls: Vec<_> = (0..300)
            .map(|n| {
                let path = ["/", "/slow", "/half", "/last"][n % 4];
                let call = shop.spawn(get(server.url(path)));
                (n, call)
            })
            .collect();
        server.let_go(300);
        let mut kept = Vec::new();
        for (n, call) in calls {
            if n % 3 == 0 {
                kept.push(call);
                continue;
            }
            if n % 5 == 0 {
                tokio::time::sleep(Duration::from_micros(n as u64 * 3)).await;
            }
            call.abort();
        }
        for call in kept {
            // Over HTTP/2, a server may take so many resets for an attack, and end the connection.
            let result = call.await.unwrap();
            assert!(result.is_ok() || protocol != Http1, "{result:?}");
        }
        let figures = shop.rests().await;
        assert!(figures.open <= 4, "{figures:?}");
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        let before = shop.figures().opened;
        // All of the places are there.
        server.shut_gate();
        let count = if protocol == Http1 { 4 } else { 1 };
        let calls: Vec<_> = (0..count).map(|_| shop.spawn(get(server.url("/gated")))).collect();
        shop.until(|now| now.in_use == count && now.waiting == 0).await;
        server.let_go(4);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert!(shop.figures().opened <= before + 4);
    }
}
