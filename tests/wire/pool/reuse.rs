//! Which connections are used again.

use std::time::Duration;

use outrigger::event::CloseCause;
use outrigger::outcome::Phase;
use outrigger::{Delivery, ErrorKind};

use super::shop::{BOTH, Http1, Http2, Shop};
use crate::calls::{ATTEMPT, answered, failed, get, post, said, user_flow};
use crate::provider::{Provider, Step};
use crate::server::{Leave, Server};

/// Three idle connections, and the one that was used last.
async fn three_of_which_one_is_used(provider: &Provider) -> (Shop, usize) {
    let shop = Shop::new(Http1, |client| client);
    shop.pool().unwrap().warm_up(provider.url("/").parse().unwrap(), 3).await.unwrap();
    for _ in 0..4 {
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well");
        assert_eq!(shop.rests().await.idle, 3);
    }
    let used: Vec<_> = provider.seen().iter().map(|seen| seen.connection).collect();
    assert!(used.iter().all(|one| *one == used[0]), "one after the other: {used:?}");
    (shop, used[0])
}

#[tokio::test]
async fn calls_one_after_the_other_use_one_connection_so_that_others_may_go() {
    let provider = Provider::script([(); 4].map(|()| Step::reply(200, "well"))).await;
    let (shop, _) = three_of_which_one_is_used(&provider).await;
    assert_eq!(shop.rests().await.opened, 3);
}

#[tokio::test]
async fn of_connections_that_are_too_many_those_go_that_were_left_alone_for_the_longest() {
    let provider = Provider::script([(); 5].map(|()| Step::reply(200, "well"))).await;
    let (shop, used) = three_of_which_one_is_used(&provider).await;
    shop.apply(&toml::from_str("hyper.pool_max_idle_per_host = 1").unwrap()).unwrap();
    shop.until(|now| now.open == 1).await;
    assert_eq!(shop.closed(), [(CloseCause::Surplus, 2)]);
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well");
    assert_eq!(provider.seen()[4].connection, used);
    assert_eq!(shop.rests().await.opened, 3);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_costs_a_call_nothing() {
    for protocol in BOTH {
        for how in [Leave::Politely, Leave::Abruptly] {
            let server = Server::start();
            let shop = Shop::new(protocol, |client| client);
            for n in 1..=3 {
                let response = answered(&shop, post(server.url("/"), "an order")).await;
                assert_eq!(response.body(), "well");
                assert_eq!(server.sockets().requests, n);
                server.hang_up(how);
                shop.until(|now| now.open == 0).await;
            }
            // HTTP/2 has a word for the end, and this was not it.
            let cause = match (protocol, how) {
                (Http2, Leave::Abruptly) => CloseCause::Broken,
                _ => CloseCause::ByPeer,
            };
            assert_eq!(shop.closed(), [(cause, 3)], "{protocol:?} {how:?}");
        }
    }
}

#[tokio::test]
async fn the_connection_of_a_timed_out_attempt_is_not_used_again() {
    for protocol in BOTH {
        let server = Server::start();
        let builder = user_flow()
            .without_retry()
            .without_bulkhead()
            .timeout(|timeout| timeout.attempt(ATTEMPT / 2));
        let shop = Shop::of(builder, protocol, |client| client.connect_timeout(ATTEMPT / 2));
        let error = failed(&shop, get(server.url("/gated"))).await;
        let kind = ErrorKind::Timeout(Phase::Attempt);
        assert_eq!(said(&error), (kind, Delivery::Unknown));
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!(server.sockets().accepted, 2);
        server.until(|sockets| sockets.open == 1).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Cut, 1)], "{protocol:?}");
    }
}

#[tokio::test]
async fn other_streams_of_a_connection_that_a_limit_passed_on_are_finished_first() {
    let server = Server::start();
    let builder = user_flow()
        .without_retry()
        .without_bulkhead()
        .timeout(|timeout| timeout.attempt(ATTEMPT / 2));
    let shop = Shop::of(builder, Http2, |client| client.connect_timeout(ATTEMPT / 2));
    // Its head is there: no limit on the attempt can pass any more.
    let half = shop.send(get(server.url("/half"))).await.unwrap();
    let gated = shop.spawn(get(server.url("/gated"))).await.unwrap();
    assert_eq!(gated.unwrap_err().kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(shop.spawn(get(server.url("/"))).await.unwrap().unwrap(), "well");
    assert_eq!((server.sockets().accepted, server.sockets().open), (2, 2));
    server.let_go(2);
    assert_eq!(half.into_body().text().await.unwrap(), "half and half");
    server.until(|sockets| sockets.open == 1).await;
    shop.rests().await;
    assert_eq!(shop.closed(), [(CloseCause::Cut, 1)]);
}

#[tokio::test]
async fn the_connection_of_a_body_that_fell_silent_is_not_used_again() {
    for protocol in BOTH {
        let server = Server::start();
        let builder = user_flow().without_retry().idle_timeout(Duration::from_millis(100));
        let shop = Shop::of(builder, protocol, |client| client);
        let half = shop.send(get(server.url("/half"))).await.unwrap();
        let error = half.into_body().text().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!(server.sockets().accepted, 2, "{protocol:?}");
        server.until(|sockets| sockets.open == 1).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Cut, 1)], "{protocol:?}");
    }
}

#[tokio::test]
async fn a_connection_that_led_to_the_wrong_server_is_not_used_again() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client);
        let response = answered(&shop, get(server.url("/misdirected"))).await;
        assert_eq!(response.status().as_u16(), 421);
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!(server.sockets().accepted, 2);
        server.until(|sockets| sockets.open == 1).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Misdirected, 1)], "{protocol:?}");
    }
}

#[tokio::test]
async fn a_half_read_answer_ends_an_http1_connection() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1));
    let half = shop.send(get(server.url("/half"))).await.unwrap();
    drop(half);
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!(server.sockets().accepted, 2);
    server.until(|sockets| sockets.open == 1).await;
    shop.rests().await;
    assert_eq!(shop.closed(), [(CloseCause::Cut, 1)]);
}

#[tokio::test]
async fn a_half_read_answer_ends_just_its_stream_of_an_http2_connection() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client);
    let half = shop.send(get(server.url("/half"))).await.unwrap();
    drop(half);
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!(server.sockets().accepted, 1);
    assert_eq!(shop.rests().await.open, 1);
}

#[tokio::test]
async fn a_small_answer_that_nobody_reads_leaves_its_connection_to_the_next() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(1));
        for _ in 0..10 {
            drop(shop.send(get(server.url("/"))).await.unwrap());
        }
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!(server.sockets().accepted, 1, "{protocol:?}");
        assert_eq!(shop.rests().await.opened, 1);
        // Nobody was cut off in the middle, so that is not what ends it.
        server.hang_up(Leave::Politely);
        shop.until(|now| now.open == 0).await;
        assert_eq!(shop.closed(), [(CloseCause::ByPeer, 1)], "{protocol:?}");
    }
}

#[tokio::test]
async fn an_http2_connection_that_a_caller_left_is_the_peers_to_end() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client);
    drop(shop.send(get(server.url("/half"))).await.unwrap());
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    server.hang_up(Leave::Politely);
    shop.until(|now| now.open == 0).await;
    assert_eq!(shop.closed(), [(CloseCause::ByPeer, 1)]);
}
