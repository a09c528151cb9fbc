//! Connections that nobody uses, and connections that have grown old.

use std::time::{Duration, Instant};

use outrigger::event::{CloseCause, Event};

use super::shop::{BOTH, Http1, Protocol, Shop};
use crate::calls::{answered, get, post};
use crate::server::Server;

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed_by_itself() {
    let limit = Duration::from_millis(100);
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.pool_idle_timeout(limit));
        answered(&shop, get(server.url("/"))).await;
        assert_eq!(server.sockets().open, 1);
        server.until(|sockets| sockets.open == 0).await;
        let figures = shop.rests().await;
        assert_eq!((figures.open, shop.closed()), (0, vec![(CloseCause::Idle, 1)]));
        let lived = shop.events.events().into_iter().find_map(|event| match event {
            Event::ConnectionClosed { lived, .. } => Some(lived),
            _ => None,
        });
        assert!(lived.unwrap() >= limit);
        answered(&shop, get(server.url("/"))).await;
        assert_eq!(server.sockets().accepted, 2);
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_its_answer_is_not_idle() {
    let limit = Duration::from_millis(50);
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.pool_idle_timeout(limit));
        for path in ["/gated", "/half"] {
            let call = shop.spawn(get(server.url(path)));
            tokio::time::sleep(limit * 5).await;
            server.let_go(1);
            assert!(call.await.unwrap().is_ok(), "{protocol:?} {path}");
        }
        assert_eq!(server.sockets().requests, 2);
    }
}

#[tokio::test]
async fn idle_connections_that_are_not_needed_go_while_one_stays_in_use() {
    let server = Server::start();
    let limit = Duration::from_millis(300);
    let shop = Shop::new(Http1, |client| client.pool_idle_timeout(limit));
    let calls: Vec<_> = (0..4).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 4).await;
    server.let_go(4);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    // The last used is used next, so that the others age.
    let held = shop.spawn(get(server.url("/gated")));
    shop.until(|now| now.open == 1).await;
    assert_eq!(shop.closed(), [(CloseCause::Idle, 3)]);
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(server.sockets().accepted, 4);
}

/// Calls for as long as `goes_on`, from four tasks; every call must be answered.
async fn load(shop: &Shop, url: &str, goes_on: impl Fn() -> bool) -> usize {
    let mut calls = 0;
    let began = Instant::now();
    while goes_on() {
        assert!(began.elapsed() < Duration::from_secs(10), "no end: {:?}", shop.figures());
        let some: Vec<_> = (0..4).map(|_| shop.spawn(post(url, "order"))).collect();
        for call in some {
            assert_eq!(call.await.unwrap().unwrap(), "well");
            calls += 1;
        }
    }
    calls
}

async fn is_replaced_under_load(protocol: Protocol) {
    let server = Server::start();
    let shop = Shop::new(protocol, |client| {
        client.time_to_live(Duration::from_millis(300)).max_connections_per_host(4)
    });
    let calls = load(&shop, &server.url("/slow"), || shop.figures().closed.expired < 6).await;
    assert_eq!(server.sockets().requests, calls, "each once");
    shop.rests().await;
    let closed = shop.closed();
    assert!(matches!(closed[..], [(CloseCause::Expired, 6..)]), "{closed:?}");
    for event in shop.events.events() {
        if let Event::ConnectionClosed { lived, .. } = event {
            assert!(lived >= Duration::from_millis(240), "{lived:?}");
        }
    }
}

#[tokio::test]
async fn old_connections_are_replaced_under_load_and_no_call_fails() {
    is_replaced_under_load(Http1).await;
}

#[tokio::test]
async fn old_http2_connections_are_replaced_under_load_and_no_call_fails() {
    is_replaced_under_load(Protocol::Http2).await;
}

#[tokio::test]
async fn an_old_connection_in_use_finishes_its_answer_first() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.time_to_live(Duration::from_millis(100)));
        let half = shop.send(get(server.url("/half"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert_eq!((server.sockets().open, shop.figures().in_use), (1, 1));
        // Others go over a new one meanwhile.
        assert_eq!(shop.spawn(get(server.url("/"))).await.unwrap().unwrap(), "well");
        assert_eq!(server.sockets().accepted, 2);
        server.let_go(1);
        assert_eq!(half.into_body().text().await.unwrap(), "half and half");
        server.until(|sockets| sockets.open == 0).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Expired, 2)], "{protocol:?}");
    }
}

#[tokio::test]
async fn a_connection_that_comes_back_too_old_is_closed_as_that() {
    let life = Duration::from_millis(50);
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.time_to_live(life));
    let answer = shop.send(get(server.url("/"))).await.unwrap();
    // The whole thread stands still: it comes back before its own timer is looked at.
    std::thread::sleep(life * 3);
    assert_eq!(answer.into_body().text().await.unwrap(), "well");
    shop.until(|now| now.open == 0).await;
    assert_eq!(shop.closed(), [(CloseCause::Expired, 1)]);
}

#[tokio::test]
async fn what_a_call_finds_too_old_is_counted_as_that() {
    let life = Duration::from_millis(50);
    for protocol in BOTH {
        for cause in [CloseCause::Idle, CloseCause::Expired] {
            let server = Server::start();
            let shop = Shop::new(protocol, |client| match cause {
                CloseCause::Idle => client.pool_idle_timeout(life),
                _ => client.time_to_live(life),
            });
            answered(&shop, get(server.url("/"))).await;
            shop.rests().await;
            // The whole thread stands still: the call comes before the connection's own timer.
            std::thread::sleep(life * 3);
            answered(&shop, get(server.url("/"))).await;
            assert_eq!(server.sockets().accepted, 2, "{protocol:?} {cause:?}");
            shop.until(|now| now.open <= 1).await;
            assert_eq!(shop.closed()[0].0, cause, "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn the_longest_durations_mean_never() {
    for protocol in BOTH {
        let server = Server::start();
        let ever = Duration::MAX;
        let shop = Shop::new(protocol, |client| {
            client.time_to_live(ever).pool_idle_timeout(ever).acquire_timeout(ever)
        });
        for _ in 0..3 {
            answered(&shop, get(server.url("/"))).await;
        }
        assert_eq!(server.sockets().accepted, 1, "{protocol:?}");
    }
}
