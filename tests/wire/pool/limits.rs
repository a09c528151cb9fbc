//! How many connections there are, and who gets one.

use outrigger::ErrorKind;
use outrigger::outcome::Fault;

use super::shop::{BOTH, Http1, Shop};
use crate::calls::{answered, deaf, get, post};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_share_eight_connections_and_all_are_answered() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(8));
    let calls: Vec<_> = (0..200).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    let sockets = server.sockets();
    assert_eq!((sockets.most_open, sockets.accepted, sockets.requests), (8, 8, 200));
    let figures = shop.rests().await;
    assert_eq!((figures.opened, figures.open), (8, 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_are_answered_even_when_every_answer_ends_its_connection() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(8));
    let calls: Vec<_> = (0..200).map(|_| shop.spawn(post(server.url("/last"), "order"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!(server.sockets().requests, 200);
    shop.until(|now| now.open == 0).await;
    let figures = shop.rests().await;
    assert_eq!((figures.opened, figures.closed.by_peer), (200, 200));
    server.until(|sockets| sockets.open == 0).await;
}

#[tokio::test]
async fn callers_of_a_full_pool_are_served_in_the_order_they_came() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let mut calls = vec![shop.spawn(get(server.url("/gated")))];
    server.until(|sockets| sockets.requests == 1).await;
    for n in 1..=20 {
        calls.push(shop.spawn(get(server.url(&format!("/{n}")))));
        shop.until(|now| now.waiting == n).await;
    }
    server.let_go(1);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came: Vec<_> = server.targets().split_off(1);
    assert_eq!(came, (1..=20).map(|n| format!("/{n}")).collect::<Vec<_>>());
    assert_eq!(server.sockets().accepted, 1);
}

#[tokio::test]
async fn callers_are_served_in_order_also_when_each_needs_a_new_connection() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let mut calls = vec![shop.spawn(get(server.url("/gated")))];
    server.until(|sockets| sockets.requests == 1).await;
    for n in 1..=10 {
        let path = if n % 2 == 0 { "/last" } else { "/misdirected" };
        calls.push(shop.spawn(get(server.url(path))));
        shop.until(|now| now.waiting == n).await;
    }
    server.let_go(1);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let came: Vec<_> = server.targets().split_off(1);
    assert_eq!(came, ["/misdirected", "/last"].repeat(5));
    assert_eq!(server.sockets().most_open, 1);
    assert_eq!(shop.rests().await.opened, 10);
}

#[tokio::test]
async fn an_answer_holds_its_connection_until_its_body_is_read() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let half = shop.send(get(server.url("/half"))).await.unwrap();
    let next = shop.spawn(get(server.url("/")));
    shop.until(|now| now.waiting == 1).await;
    assert_eq!(shop.figures().in_use, 1);
    server.let_go(1);
    assert_eq!(half.into_body().text().await.unwrap(), "half and half");
    assert_eq!(next.await.unwrap().unwrap(), "well");
    assert_eq!(server.sockets().accepted, 1);
}

#[tokio::test]
async fn a_full_pool_for_one_host_does_not_hold_up_another() {
    let (one, other) = (Server::start(), Server::start());
    for protocol in BOTH {
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(1));
        let held = shop.spawn(get(one.url("/gated")));
        shop.until(|now| now.in_use == 1).await;
        for _ in 0..10 {
            assert_eq!(answered(&shop, get(other.url("/"))).await.body(), "well");
        }
        one.let_go(1);
        held.await.unwrap().unwrap();
        assert_eq!(shop.rests().await.open, 2);
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_frees_its_place_for_the_next() {
    for protocol in BOTH {
        let (taken, address) = deaf();
        let url = format!("http://{address}/");
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(1));
        let calls: Vec<_> = (0..10).map(|_| shop.spawn(get(&url))).collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport(Fault::Refused), "{error:?}");
        }
        let figures = shop.rests().await;
        assert_eq!((figures.open, figures.opened), (0, 0));
        drop(taken);
        let server = Server::at(address);
        assert_eq!(answered(&shop, get(&url)).await.body(), "well");
        assert_eq!(server.sockets().accepted, 1);
    }
}
