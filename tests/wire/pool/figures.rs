//! What the figures say, and that the events say the same.

use std::time::Duration;

use outrigger::event::{CloseCause, Event};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::shop::{BOTH, Http1, Http2, Shop};
use crate::calls::{answered, get};
use crate::provider::{Act, Provider, Step};
use crate::server::{Leave, Server};

#[tokio::test]
async fn a_pool_that_was_never_used_is_empty() {
    for protocol in BOTH {
        let shop = Shop::new(protocol, |client| client);
        assert_eq!(shop.figures(), outrigger::transport::pool::PoolFigures::default());
    }
}

#[tokio::test]
async fn connections_in_use_and_calls_that_wait_are_counted_apart() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(2));
    let calls: Vec<_> = (0..5).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 2).await;
    let now = shop.figures();
    assert_eq!((now.open, now.in_use, now.idle, now.connecting), (2, 2, 0, 0));
    assert_eq!((now.waiting, now.opened), (3, 2));
    server.let_go(4);
    server.until(|sockets| sockets.requests == 5).await;
    shop.until(|now| now.idle == 1).await;
    let now = shop.figures();
    assert_eq!((now.open, now.in_use, now.idle, now.waiting), (2, 1, 1, 0));
    server.let_go(1);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let now = shop.rests().await;
    assert_eq!((now.open, now.idle, now.opened), (2, 2, 2));
}

#[tokio::test]
async fn streams_of_one_http2_connection_count_as_one_connection_in_use() {
    let server = Server::start();
    let shop = Shop::new(Http2, |client| client);
    let calls: Vec<_> = (0..10).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 10).await;
    let now = shop.figures();
    assert_eq!((now.open, now.in_use, now.idle, now.waiting, now.opened), (1, 1, 0, 0, 1));
    server.let_go(9);
    let mut calls = calls;
    let unfinished =
        |calls: &[JoinHandle<_>]| calls.iter().filter(|call| !call.is_finished()).count();
    shop.until(|_| unfinished(&calls) == 1).await;
    calls.retain(|call| !call.is_finished());
    assert_eq!((shop.figures().in_use, shop.figures().idle), (1, 0));
    server.let_go(1);
    calls.remove(0).await.unwrap().unwrap();
    let now = shop.rests().await;
    assert_eq!((now.open, now.idle), (1, 1));
}

#[tokio::test]
async fn a_connection_that_is_being_made_is_not_open_yet() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let shop = Shop::new(Http1, |client| client.max_connections_per_host(2));
    let calls: Vec<_> = (0..3).map(|_| shop.spawn(get(&url))).collect();
    let _sockets = (silent.accept().await.unwrap(), silent.accept().await.unwrap());
    shop.until(|now| now.waiting == 1).await;
    let now = shop.figures();
    assert_eq!((now.connecting, now.open, now.in_use, now.opened), (2, 0, 0, 0));
    calls.iter().for_each(JoinHandle::abort);
    shop.rests().await;
}

#[tokio::test]
async fn an_idle_connection_that_breaks_is_counted_as_broken() {
    let step = Step::reply(200, "well").then(Act::Pause(Duration::from_millis(50)));
    let noise = Act::Write("220 smtp.example ESMTP\r\n".into());
    for end in [Act::Reset, noise] {
        let provider = Provider::script([step.clone().then(end.clone()).then(Act::Hang)]).await;
        let shop = Shop::new(Http1, |client| client);
        answered(&shop, get(provider.url("/"))).await;
        shop.until(|now| now.open == 0).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Broken, 1)], "{end:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_under_a_request_is_counted_as_broken() {
    for end in [Act::Reset, Act::Fin] {
        let provider = Provider::script([Step::read_then(end.clone())]).await;
        let shop = Shop::new(Http1, |client| client);
        shop.send(get(provider.url("/"))).await.unwrap_err();
        shop.until(|now| now.open == 0).await;
        shop.rests().await;
        assert_eq!(shop.closed(), [(CloseCause::Broken, 1)], "{end:?}");
    }
}

#[tokio::test]
async fn connections_beyond_those_that_are_kept_idle_are_counted_as_surplus() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.pool_max_idle_per_host(2));
    let calls: Vec<_> = (0..5).map(|_| shop.spawn(get(server.url("/gated")))).collect();
    server.until(|sockets| sockets.requests == 5).await;
    server.let_go(5);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    server.until(|sockets| sockets.open == 2).await;
    let now = shop.rests().await;
    assert_eq!((now.open, now.idle), (2, 2));
    assert_eq!(shop.closed(), [(CloseCause::Surplus, 3)]);
}

#[tokio::test]
async fn a_pool_that_keeps_nothing_idle_makes_a_connection_for_every_call() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.pool_max_idle_per_host(0));
    for _ in 0..5 {
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    }
    server.until(|sockets| sockets.open == 0).await;
    assert_eq!(server.sockets().accepted, 5);
    shop.rests().await;
    assert_eq!(shop.closed(), [(CloseCause::Surplus, 5)]);
}

#[tokio::test]
async fn every_cause_is_counted_on_its_own() {
    let server = Server::start();
    let shop = Shop::new(Http1, |client| client.time_to_live(Duration::from_secs(600)));
    answered(&shop, get(server.url("/"))).await;
    server.hang_up(Leave::Politely);
    shop.until(|now| now.open == 0).await;
    answered(&shop, get(server.url("/misdirected"))).await;
    shop.until(|now| now.open == 0).await;
    drop(shop.send(get(server.url("/half"))).await.unwrap());
    shop.until(|now| now.open == 0).await;
    answered(&shop, get(server.url("/last"))).await;
    shop.until(|now| now.open == 0).await;
    let now = shop.rests().await;
    assert_eq!((now.opened, now.open), (4, 0));
    let expected = [(CloseCause::ByPeer, 2), (CloseCause::Cut, 1), (CloseCause::Misdirected, 1)];
    assert_eq!(shop.closed(), expected);
}

#[tokio::test]
async fn the_events_of_connections_name_the_integration() {
    use std::sync::{Arc, Mutex};

    use outrigger::event::{Origin, Subscriber};

    #[derive(Clone, Default)]
    struct Names(Arc<Mutex<Vec<Option<String>>>>);

    impl Subscriber for Names {
        fn on_event(&self, event: &Event, origin: &Origin<'_>) {
            if matches!(event, Event::ConnectionOpened | Event::ConnectionClosed { .. }) {
                self.0.lock().unwrap().push(origin.integration().map(str::to_owned));
            }
        }
    }

    let (server, names) = (Server::start(), Names::default());
    let shop = crate::calls::user_flow().subscriber(names.clone()).build().unwrap();
    answered(&shop, get(server.url("/last"))).await;
    server.until(|sockets| sockets.open == 0).await;
    for _ in 0..5_000 {
        if names.0.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(*names.0.lock().unwrap(), vec![Some("shop".to_owned()); 2]);
}
