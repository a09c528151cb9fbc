//! The streams of an HTTP/2 connection, of which its host takes so many at once.

use std::time::{Duration, Instant};

use outrigger::circuit_breaker::Consecutive;
use outrigger::context::CallDeadline;
use outrigger::event::BreakerState;
use outrigger::outcome::Phase;
use outrigger::{Delivery, Error, ErrorKind};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::shop::{BOTH, Http2, Shop};
use crate::calls::{ATTEMPT, answered, get, post, said, user_flow};
use crate::frames::{Do, Framed, NO_ERROR, Turn};
use crate::server::Server;

const WAIT: Duration = Duration::from_millis(200);

async fn told(shop: &Shop, server: &Server) {
    // With the first answer, the client knows how many there may be.
    assert_eq!(answered(shop, get(server.url("/"))).await.body(), "well");
}

/// Fails while others are on their way.
async fn failed_beside(shop: &Shop, url: String) -> Error {
    shop.spawn(post(url, "an order")).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn who_gets_no_stream_in_time_is_told_so_and_was_not_sent() {
    let server = Server::with_streams(2);
    let shop = Shop::new(Http2, |client| client.acquire_timeout(WAIT));
    told(&shop, &server).await;
    let held: Vec<_> = (0..2).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 3).await;
    for _ in 0..3 {
        let began = Instant::now();
        let error = failed_beside(&shop, server.url("/late")).await;
        assert!(began.elapsed() >= WAIT && began.elapsed() < 10 * WAIT);
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Acquire), Delivery::NotSent));
        let host = error.host().unwrap();
        let text = format!(
            "shop: pool acquire timed out after 200ms at {host}: no stream free, the host takes 2 at once"
        );
        assert_eq!((error.to_string(), error.limit()), (text, Some(WAIT)));
    }
    server.let_go(2);
    for held in held {
        held.await.unwrap().unwrap();
    }
    assert_eq!(server.sockets().requests, 3);
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test]
async fn who_waits_here_until_a_limit_passes_was_not_sent() {
    for protocol in BOTH {
        let server = Server::with_streams(1);
        let builder = user_flow().without_retry().without_bulkhead();
        let shop = Shop::of(builder, protocol, |client| client.max_connections_per_host(1));
        told(&shop, &server).await;
        let held = shop.spawn(get(server.url("/gated")));
        server.until(|sockets| sockets.requests == 2).await;
        let mut late = post(server.url("/late"), "an order");
        late.extensions_mut().insert(CallDeadline(Instant::now() + WAIT));
        let error = shop.spawn(late).await.unwrap().unwrap_err();
        let kind = ErrorKind::Timeout(Phase::Call);
        assert_eq!((said(&error), error.attempts()), ((kind, Delivery::NotSent), 0));
        server.let_go(1);
        assert_eq!(held.await.unwrap().unwrap(), "well");
        assert!(server.targets().iter().all(|target| target != "/late"));
        shop.rests().await;
    }
}

#[tokio::test]
async fn an_attempt_that_is_cut_while_it_waits_here_was_not_sent_and_is_sent_again() {
    for protocol in BOTH {
        let server = Server::with_streams(1);
        let builder = user_flow().without_bulkhead().deadline(Duration::from_secs(20));
        let builder = builder
            .timeout(|timeout| timeout.attempt(ATTEMPT))
            .retry(|retry| retry.max_attempts(20))
            .breaker(|it| it.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO));
        let shop = Shop::of(builder, protocol, |client| {
            client.max_connections_per_host(1).connect_timeout(ATTEMPT)
        });
        told(&shop, &server).await;
        // Its head is here: no limit of an attempt holds it any more.
        let half = shop.send(get(server.url("/half"))).await.unwrap();
        let order = shop.spawn(post(server.url("/late"), "an order"));
        shop.until(|now| now.waiting == 1).await;
        tokio::time::sleep(ATTEMPT + ATTEMPT / 2).await;
        assert_eq!(shop.breaker().state(), BreakerState::Closed);
        server.let_go(1);
        half.into_body().text().await.unwrap();
        assert_eq!(order.await.unwrap().unwrap(), "well", "{protocol:?}");
        assert_eq!(server.targets(), ["/", "/half", "/late"]);
        shop.rests().await;
    }
}

#[tokio::test]
async fn who_is_cut_while_a_connection_is_made_was_not_sent() {
    for protocol in BOTH {
        // Takes connections, and never says a word of TLS.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", silent.local_addr().unwrap());
        let shop = Shop::of(user_flow().without_retry(), protocol, |client| client);
        let mut request = post(url, "an order");
        request.extensions_mut().insert(CallDeadline(Instant::now() + WAIT));
        let error = shop.spawn(request).await.unwrap().unwrap_err();
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Call), Delivery::NotSent));
        shop.rests().await;
    }
}

#[tokio::test]
async fn sixty_orders_through_one_stream_are_all_done_once() {
    for cold in [true, false] {
        let server = Server::with_streams(1);
        let shop = Shop::new(Http2, |client| client);
        if !cold {
            told(&shop, &server).await;
        }
        let before = server.sockets().requests;
        let orders: Vec<_> =
            (0..60).map(|n| shop.spawn(post(server.url(&format!("/{n}")), "order"))).collect();
        for order in orders {
            assert_eq!(order.await.unwrap().unwrap(), "well");
        }
        assert_eq!(server.sockets().requests, before + 60);
        // First come, first served.
        let expected: Vec<_> = (0..60).map(|n| format!("/{n}")).collect();
        assert_eq!(server.targets()[before..], expected);
        assert_eq!(shop.rests().await.opened, 1);
    }
}

#[tokio::test]
async fn a_host_that_takes_few_refuses_nobody_at_a_cold_start() {
    let server = Server::with_streams(4);
    let shop = Shop::new(Http2, |client| client);
    let calls: Vec<_> = (0..50).map(|_| shop.spawn(post(server.url("/slow"), "order"))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!((server.sockets().accepted, server.sockets().requests), (1, 50));
    shop.rests().await;
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_its_stream_or_its_turn_to_the_next() {
    let server = Server::with_streams(1);
    let shop = Shop::new(Http2, |client| client);
    told(&shop, &server).await;
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 2).await;
    let calls: Vec<_> = (0..4).map(|n| shop.spawn(get(server.url(&format!("/{n}"))))).collect();
    shop.until(|now| now.waiting == 4).await;
    calls[0].abort();
    calls[2].abort();
    shop.until(|now| now.waiting == 2).await;
    // The stream of one who leaves in the middle.
    held.abort();
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.is_ok(), n % 2 == 1);
    }
    assert_eq!(server.targets(), ["/", "/gated", "/1", "/3"]);
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test]
async fn a_host_that_takes_no_streams_is_waited_for_until_it_does() {
    let well = || Turn::of([Do::Head(200), Do::Body("well")]);
    let last =
        Turn::of([Do::Streams(0), Do::Head(200), Do::Body("well"), Do::Wait, Do::Streams(1)]);
    let provider = Framed::with_streams(5, [well(), last, well()]).await;
    let shop = Shop::new(Http2, |client| client.acquire_timeout(WAIT));
    for _ in 0..2 {
        assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
    }
    let error = failed_beside(&shop, provider.url()).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Acquire), Delivery::NotSent));
    assert!(error.to_string().ends_with("the host takes 0 at once"), "{error}");
    let waiting = shop.spawn(get(provider.url()));
    shop.until(|now| now.waiting == 1).await;
    provider.let_go();
    assert_eq!(waiting.await.unwrap().unwrap(), "well");
    assert_eq!((provider.tally().requests, provider.tally().connections), (3, 1));
    shop.rests().await;
}

/// Its first words are that, and its last. Most of the requests wait inside the client for it then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_never_takes_a_stream_keeps_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let host = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
            stream.write_all(&settings).await.unwrap();
            open.push(stream);
        }
    });
    let limit = Duration::from_millis(100);
    let impatient = user_flow().without_retry().timeout(|timeout| timeout.attempt(limit));
    let shop = Shop::of(impatient, Http2, |client| client.connect_timeout(limit));
    for _ in 0..10 {
        failed_beside(&shop, url.clone()).await;
    }
    shop.until(|now| now.open == 0).await;
    host.abort();
}

#[tokio::test]
async fn more_and_fewer_streams_are_followed_while_requests_are_under_way() {
    // The first and the second are never answered; the third brings more room, and less again.
    let grows = Turn::of([Do::Wait, Do::Streams(3)]);
    let shrinks = Turn::of([Do::Head(200), Do::Streams(2), Do::Body("well")]);
    let provider =
        Framed::with_streams(2, [Turn::of([]), grows, shrinks, Turn::reply(200, "")]).await;
    let shop = Shop::new(Http2, |client| client.acquire_timeout(WAIT));
    let first = shop.spawn(get(provider.url()));
    provider.until(|tally| tally.requests == 1).await;
    let second = shop.spawn(get(provider.url()));
    provider.until(|tally| tally.requests == 2).await;
    let third = shop.spawn(get(provider.url()));
    shop.until(|now| now.waiting == 1).await;
    provider.let_go();
    assert_eq!(third.await.unwrap().unwrap(), "well");
    let error = failed_beside(&shop, provider.url()).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Acquire));
    assert!(error.to_string().ends_with("the host takes 2 at once"), "{error}");
    // Whose stream is free is the next one's.
    first.abort();
    assert_eq!(shop.spawn(get(provider.url())).await.unwrap().unwrap(), "");
    second.abort();
    assert_eq!(provider.tally().requests, 4);
    shop.rests().await;
}

#[tokio::test]
async fn who_waits_for_a_stream_of_a_connection_that_goes_away_gets_another() {
    let away = Do::GoAway { processed: true, reason: NO_ERROR };
    let first = Turn::of([Do::Wait, away, Do::Wait, Do::Head(200), Do::Body("first")]);
    let provider = Framed::with_streams(1, [first, Turn::reply(200, "well")]).await;
    let shop = Shop::new(Http2, |client| client);
    let held = shop.spawn(get(provider.url()));
    provider.until(|tally| tally.requests == 1).await;
    let waiting: Vec<_> = (0..3).map(|_| shop.spawn(post(provider.url(), "order"))).collect();
    shop.until(|now| now.waiting == 3).await;
    provider.let_go();
    // Though the first connection is still at work.
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    provider.let_go();
    assert_eq!(held.await.unwrap().unwrap(), "first");
    assert_eq!((provider.tally().requests, provider.tally().connections), (4, 2));
    shop.rests().await;
}

#[tokio::test]
async fn who_waits_for_a_stream_of_a_connection_that_breaks_gets_another() {
    let first = Turn::of([Do::Wait, Do::Close]);
    let provider = Framed::with_streams(1, [first, Turn::reply(200, "well")]).await;
    let shop = Shop::new(Http2, |client| client.max_connections_per_host(1));
    let held = shop.spawn(get(provider.url()));
    provider.until(|tally| tally.requests == 1).await;
    let waiting: Vec<_> = (0..3).map(|_| shop.spawn(post(provider.url(), "order"))).collect();
    shop.until(|now| now.waiting == 3).await;
    provider.let_go();
    assert!(held.await.unwrap().is_err());
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert_eq!((provider.tally().requests, provider.tally().connections), (4, 2));
    shop.rests().await;
}
