//! One HTTP/2 connection for everybody.

use std::time::Duration;

use outrigger::event::CloseCause;

use super::shop::{Http2, Shop};
use crate::calls::{answered, failed, get, post, user_flow};
use crate::frames::{Do, Framed, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Turn};
use crate::server::{Leave, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_share_one_connection_from_a_cold_start() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client);
    for round in 1..=2 {
        let calls: Vec<_> = (0..200).map(|_| shop.spawn(get(server.url("/slow")))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), "well");
        }
        let sockets = server.sockets();
        assert_eq!((sockets.accepted, sockets.requests), (round, 200 * round));
        assert_eq!(shop.rests().await.open, 1);
        server.hang_up(Leave::Politely);
        shop.until(|now| now.open == 0).await;
    }
    assert_eq!(shop.closed(), [(CloseCause::ByPeer, 2)]);
}

#[tokio::test]
async fn callers_who_wait_for_the_first_connection_are_all_served_by_it() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client.max_connections_per_host(1));
    let calls: Vec<_> = (0..50).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    shop.until(|now| now.waiting == 49 || now.open == 1).await;
    server.until(|sockets| sockets.requests == 50).await;
    let figures = shop.figures();
    assert_eq!((figures.open, figures.in_use, figures.idle, figures.waiting), (1, 1, 0, 0));
    server.let_go(50);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_beyond_the_servers_streams_wait_on_the_one_connection() {
    let server = Server::with_streams(4);
    let shop = Shop::new(Http2, |client| client);
    // With the first answer, the client knows how many there may be.
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    let calls: Vec<_> = (0..50).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!(server.sockets().accepted, 1);
    shop.rests().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_whom_a_server_refuses_at_a_cold_start_get_through_at_the_second_attempt() {
    for attempts in [2, u32::MAX] {
        let server = Server::with_streams(4);
        let builder = user_flow().without_bulkhead().retry(|retry| retry.max_attempts(attempts));
        let shop = Shop::of(builder, Http2, |client| client);
        let call = |_| shop.spawn(post(server.url("/slow"), "order"));
        for call in (0..50).map(call).collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap().unwrap(), "well");
        }
        assert_eq!((server.sockets().accepted, server.sockets().requests), (1, 50));
        shop.rests().await;
    }
}

#[tokio::test]
async fn a_polite_end_lets_open_streams_finish_and_sends_new_ones_elsewhere() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client.max_connections_per_host(2));
    let held: Vec<_> = (0..10).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 10).await;
    server.hang_up(Leave::Politely);
    // The word is on its way; whoever comes before it is answered all the same.
    for _ in 0..20 {
        assert_eq!(shop.spawn(post(server.url("/"), "order")).await.unwrap().unwrap(), "well");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.let_go(10);
    for call in held {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    shop.until(|now| now.open == 1).await;
    assert_eq!(shop.closed(), [(CloseCause::ByPeer, 1)]);
    assert_eq!(server.sockets().accepted, 2);
    shop.rests().await;
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let last = [Do::Head(200), Do::Body("well")];
    let after = |interim: &[u16]| {
        Turn::of(interim.iter().copied().map(Do::Head).chain(last.clone()).collect::<Vec<_>>())
    };
    let script = [after(&[100]), after(&[103]), after(&[100, 103, 103])];
    let provider = Framed::script(script).await;
    let shop = Shop::new(Http2, |client| client);
    for _ in 0..3 {
        let mut request = post(provider.url(), "an order");
        let expect = http::HeaderValue::from_static("100-continue");
        request.headers_mut().insert(http::header::EXPECT, expect);
        let response = answered(&shop, request).await;
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "well"));
    }
    assert!(provider.seen().iter().all(|seen| seen.body == b"an order"));
    assert_eq!(provider.tally().connections, 1);
    shop.rests().await;
}

#[tokio::test]
async fn a_stream_that_fails_leaves_the_connection_to_the_others() {
    for reason in [REFUSED_STREAM, INTERNAL_ERROR] {
        let script = [Turn::of([Do::Reset(reason)]), Turn::reply(200, "well")];
        let provider = Framed::script(script).await;
        let shop = Shop::new(Http2, |client| client);
        failed(&shop, get(provider.url())).await;
        assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
        assert_eq!(provider.tally().connections, 1);
        assert_eq!(shop.rests().await.opened, 1);
    }
}

#[tokio::test]
async fn a_goaway_on_an_idle_connection_costs_the_next_call_nothing() {
    let away = Do::GoAway { processed: true, reason: NO_ERROR };
    let last = Turn::of([Do::Head(200), Do::Body("last"), away]);
    let provider = Framed::script([last, Turn::reply(200, "well")]).await;
    let shop = Shop::new(Http2, |client| client);
    assert_eq!(answered(&shop, post(provider.url(), "order")).await.body(), "last");
    shop.until(|now| now.open == 0).await;
    assert_eq!(answered(&shop, post(provider.url(), "order")).await.body(), "well");
    assert_eq!(provider.tally().connections, 2);
    assert_eq!(shop.closed(), [(CloseCause::ByPeer, 1)]);
}
