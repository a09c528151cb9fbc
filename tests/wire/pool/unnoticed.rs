//! Idle connections that the server closed a moment ago: the packet is there, and nobody looked.
//!
//! The test's thread stands still meanwhile. It is the runtime's only one, so that a connection's own
//! task can't notice before the next call has chosen it.

use outrigger::integration::OwnClient;
use outrigger::{IntegrationBuilder, event::CloseCause};

use super::shop::{BOTH, Http1, Protocol, Shop};
use crate::calls::{answered, get, post, user_flow};
use crate::server::{Leave, Server};

fn once() -> IntegrationBuilder<OwnClient> {
    user_flow().without_retry().without_bulkhead()
}

/// The call is made before the connection's task was polled, but after the runtime looked around.
async fn is_sent_elsewhere(protocol: Protocol, how: Leave) {
    let server = Server::start();
    let shop = Shop::of(once(), protocol, |client| client);
    answered(&shop, post(server.url("/"), "first")).await;
    shop.rests().await;
    server.hang_up_unnoticed(how);
    tokio::task::yield_now().await;
    let second = shop.send(post(server.url("/"), "second")).await;
    let second = second.unwrap_or_else(|error| panic!("{protocol:?} {how:?}: {error:?}"));
    assert_eq!(second.into_body().text().await.unwrap(), "well");
    assert_eq!((server.sockets().accepted, server.sockets().requests), (2, 2));
    shop.rests().await;
    assert_eq!(shop.closed().len(), 1);
}

#[tokio::test]
async fn a_post_without_a_key_is_sent_elsewhere_where_its_connection_was_just_closed() {
    is_sent_elsewhere(Http1, Leave::Politely).await;
}

#[tokio::test]
async fn a_post_without_a_key_is_sent_elsewhere_where_its_connection_just_went_silent() {
    is_sent_elsewhere(Http1, Leave::Abruptly).await;
}

#[tokio::test]
async fn a_post_on_http2_is_sent_elsewhere_where_its_connection_just_went_silent() {
    is_sent_elsewhere(Protocol::Http2, Leave::Abruptly).await;
}

#[tokio::test]
async fn several_connections_that_were_just_closed_cost_a_post_nothing() {
    let server = Server::start();
    let shop = Shop::of(once(), Http1, |client| client);
    let calls: Vec<_> = (0..6).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 6).await;
    server.let_go(6);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(shop.rests().await.idle, 6);
    server.hang_up_unnoticed(Leave::Politely);
    tokio::task::yield_now().await;
    assert_eq!(answered(&shop, post(server.url("/"), "an order")).await.body(), "well");
    assert_eq!((server.sockets().accepted, server.sockets().requests), (7, 7));
    shop.until(|now| now.open == 1).await;
    assert_eq!(shop.closed(), [(CloseCause::ByPeer, 6)]);
}

#[tokio::test]
async fn a_warmed_up_connection_that_was_just_closed_costs_a_post_nothing() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::of(once(), protocol, |client| client);
        let to = server.url("/").parse().unwrap();
        shop.pool().unwrap().warm_up(to, 3).await.unwrap();
        let opened = shop.rests().await.opened as usize;
        server.until(|sockets| sockets.accepted == opened).await;
        server.hang_up_unnoticed(Leave::Abruptly);
        tokio::task::yield_now().await;
        let order = shop.send(post(server.url("/"), "an order")).await;
        let order = order.unwrap_or_else(|error| panic!("{protocol:?}: {error:?}"));
        assert_eq!(order.into_body().text().await.unwrap(), "well");
        assert_eq!(server.sockets().requests, 1);
    }
}

#[tokio::test]
async fn a_get_is_answered_even_if_it_was_written_to_a_connection_that_was_just_closed() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::of(user_flow(), protocol, |client| client);
        answered(&shop, get(server.url("/"))).await;
        shop.rests().await;
        // The runtime doesn't even look around before the call.
        server.hang_up_unnoticed(Leave::Abruptly);
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        assert_eq!((server.sockets().accepted, server.sockets().requests), (2, 2));
    }
}
