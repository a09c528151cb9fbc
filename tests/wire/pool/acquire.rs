//! What a caller is told for whom no connection came free.

use std::time::{Duration, Instant};

use outrigger::circuit_breaker::Consecutive;
use outrigger::event::{BreakerState, Event};
use outrigger::outcome::{GaveUp, Phase};
use outrigger::{Delivery, ErrorKind};

use super::shop::{Http1, Shop};
use crate::calls::{failed, get, post, said, user_flow};
use crate::server::Server;

const WAIT: Duration = Duration::from_millis(50);
const FULL: ErrorKind = ErrorKind::Timeout(Phase::Acquire);

fn is_acquire_timeout(event: &Event) -> bool {
    matches!(event, Event::TimedOut { phase: Phase::Acquire, limit } if *limit == WAIT)
}

#[tokio::test]
async fn a_full_pool_is_an_error_of_its_own_that_names_the_limits_and_was_not_sent() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(1).acquire_timeout(WAIT));
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    for n in 1..=5 {
        let began = Instant::now();
        let error = failed(&shop, post(server.url("/"), "an order")).await;
        let waited = began.elapsed();
        assert!(waited >= WAIT && waited < WAIT + Duration::from_millis(500), "{waited:?}");
        assert_eq!(said(&error), (FULL, Delivery::NotSent), "{error:?}");
        let host = error.host().unwrap();
        let text = format!(
            "shop: pool acquire timed out after 50ms at {host}: no connection free, 1 of 1 in use"
        );
        assert_eq!(error.to_string(), text);
        assert_eq!(error.limit(), Some(WAIT));
        assert!(error.is_timeout() && !error.is_connect());
        assert_eq!(error.integration(), Some("shop"));
        assert_eq!(shop.events.count(is_acquire_timeout), n);
    }
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(server.sockets().requests, 1);
    assert_eq!(shop.rests().await.open, 1);
}

#[tokio::test]
async fn the_error_counts_every_connection_that_is_in_use() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(3).acquire_timeout(WAIT));
    let held: Vec<_> = (0..3).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 3).await;
    let error = failed(&shop, get(server.url("/"))).await;
    assert!(error.to_string().ends_with(": no connection free, 3 of 3 in use"), "{error}");
    server.let_go(3);
    for held in held {
        held.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_full_pool_does_not_open_the_breaker() {
    let server = Server::start();
    let builder = user_flow().without_retry().breaker(|breaker| {
        breaker.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO)
    });
    let shop =
        Shop::of(builder, Http1, |client| client.max_connections_per_host(1).acquire_timeout(WAIT));
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    for _ in 0..3 {
        let error = failed_beside(&shop, &server).await;
        assert_eq!(error.kind(), FULL);
        assert_eq!(shop.breaker().state(), BreakerState::Closed);
    }
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(shop.events.count(|event| matches!(event, Event::BreakerChanged { .. })), 0);
}

/// Fails while another call is on its way.
async fn failed_beside(shop: &Shop, server: &Server) -> outrigger::Error {
    shop.send(get(server.url("/"))).await.unwrap_err()
}

#[tokio::test]
async fn a_caller_who_found_the_pool_full_tries_again_even_without_a_key() {
    let server = Server::start();
    let builder = user_flow().without_bulkhead().retry(|retry| retry.max_attempts(100));
    let shop =
        Shop::of(builder, Http1, |client| client.max_connections_per_host(1).acquire_timeout(WAIT));
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    let order = shop.spawn(post(server.url("/order"), "an order"));
    shop.until(|_| shop.events.count(is_acquire_timeout) >= 2).await;
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(order.await.unwrap().unwrap(), "well");
    assert_eq!(server.targets(), ["/gated", "/order"]);
}

#[tokio::test]
async fn a_pool_that_stays_full_is_given_up_on_after_the_last_attempt() {
    let server = Server::start();
    let shop = Shop::of(user_flow().without_bulkhead(), Http1, |client| {
        client.max_connections_per_host(1).acquire_timeout(WAIT)
    });
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    let error = failed(&shop, post(server.url("/"), "an order")).await;
    assert_eq!(said(&error), (FULL, Delivery::NotSent));
    assert_eq!(error.gave_up(), Some(GaveUp::Attempts));
    assert_eq!(shop.events.count(is_acquire_timeout), 2);
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(server.sockets().requests, 1);
}

#[tokio::test]
async fn a_wait_that_is_shorter_than_the_limit_is_no_error() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| {
        client.max_connections_per_host(1).acquire_timeout(Duration::from_secs(5))
    });
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    let next = shop.spawn(get(server.url("/")));
    shop.until(|now| now.waiting == 1).await;
    server.let_go(1);
    held.await.unwrap().unwrap();
    assert_eq!(next.await.unwrap().unwrap(), "well");
    assert_eq!(shop.events.count(|event| matches!(event, Event::TimedOut { .. })), 0);
}
