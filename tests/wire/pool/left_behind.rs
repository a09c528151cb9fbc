//! What is left when all is over: nothing.

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::shop::{BOTH, Http1, Http2, Shop};
use crate::calls::{answered, get, user_flow};
use crate::frames::{Do, Framed, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Turn};
use crate::provider::{Act, Provider, Step};
use crate::server::Server;

pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

pub(crate) async fn tasks_are(expected: usize) {
    for _ in 0..5_000 {
        if tasks() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{} tasks are left, not {expected}", tasks());
}

#[tokio::test]
async fn all_sockets_are_closed_once_the_integration_is_dropped() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client);
        let calls: Vec<_> = (0..5).map(|_| shop.spawn(get(server.url("/gated")))).collect();
        server.until(|sockets| sockets.requests == 5).await;
        server.let_go(5);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert!(shop.rests().await.open > 0);
        drop(shop);
        server.until(|sockets| sockets.open == 0).await;
        tasks_are(0).await;
    }
}

#[tokio::test]
async fn an_answer_is_read_to_its_end_though_the_integration_is_gone() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client);
        let half = shop.send(get(server.url("/half"))).await.unwrap();
        drop(shop);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(server.sockets().open, 1);
        server.let_go(1);
        assert_eq!(half.into_body().text().await.unwrap(), "half and half", "{protocol:?}");
        server.until(|sockets| sockets.open == 0).await;
        tasks_are(0).await;
    }
}

#[tokio::test]
async fn an_http1_fault_leaves_no_connection_no_place_and_no_task_behind() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = Act::Drip(Bytes::from_static(b"1\r\n.\r\n"), Duration::from_millis(10));
    let oversized = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    let faults = [
        Step::of([Act::Reset]),
        Step::of([Act::Fin]),
        Step::of([Act::Hang]),
        Step::of([Act::ReadHead, Act::Reset]),
        Step::read_then(Act::Reset),
        Step::read_then(Act::Fin),
        Step::read_then(Act::Hang),
        Step::write("HTTP/1.1 200 OK\r\nserver: ").then(Act::Hang),
        Step::write("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").then(Act::Hang),
        Step::write(oversized).then(Act::Hang),
        Step::write(head).then(Act::Fin),
        Step::write(head).then(Act::Reset),
        Step::write(head).then(Act::Hang),
        Step::write(chunked).then(drip),
        Step::write("SSH-2.0-OpenSSH_9.2\r\n\r\n").then(Act::Hang),
    ];
    for fault in faults {
        let before = tasks();
        let provider = Provider::script([fault.clone(), Step::reply(200, "well")]).await;
        let builder = user_flow()
            .without_retry()
            .timeout(|timeout| timeout.attempt(Duration::from_millis(150)))
            .deadline(Duration::from_millis(300));
        let shop = Shop::of(builder, Http1, |client| {
            client.max_connections_per_host(1).connect_timeout(Duration::from_millis(100))
        });
        let result = shop.spawn(get(provider.url("/"))).await.unwrap();
        assert!(result.is_err(), "{fault:?}");
        shop.until(|now| now.open == 0).await;
        let figures = shop.rests().await;
        assert_eq!((figures.opened, figures.open), (1, 0), "{fault:?}");
        // Had its place not come back, this would have to wait for ever.
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well", "{fault:?}");
        assert_eq!(shop.rests().await.opened, 2);
        drop((shop, provider));
        tasks_are(before).await;
    }
}

#[tokio::test]
async fn an_http2_fault_leaves_no_connection_no_place_and_no_task_behind() {
    let faults = [
        Turn::of([Do::Reset(REFUSED_STREAM)]),
        Turn::of([Do::Reset(INTERNAL_ERROR)]),
        Turn::of([Do::GoAway { processed: false, reason: NO_ERROR }]),
        Turn::of([Do::GoAway { processed: true, reason: INTERNAL_ERROR }, Do::Close]),
        Turn::of([Do::Close]),
        Turn::of([Do::Sit]),
        Turn::of([]),
        Turn::of([Do::Head(200), Do::Part("half"), Do::Reset(INTERNAL_ERROR)]),
        Turn::of([Do::Head(200), Do::Part("half"), Do::Close]),
        Turn::of([Do::Head(200), Do::Part("half")]),
    ];
    for fault in faults {
        let before = tasks();
        let provider = Framed::script([fault.clone(), Turn::reply(200, "well")]).await;
        let builder = user_flow()
            .without_retry()
            .timeout(|timeout| timeout.attempt(Duration::from_millis(150)))
            .deadline(Duration::from_millis(300));
        let shop = Shop::of(builder, Http2, |client| {
            client.max_connections_per_host(1).connect_timeout(Duration::from_millis(100))
        });
        let result = shop.spawn(get(provider.url())).await.unwrap();
        assert!(result.is_err(), "{fault:?}");
        shop.rests().await;
        assert_eq!(answered(&shop, get(provider.url())).await.body(), "well", "{fault:?}");
        assert!(shop.rests().await.open <= 1);
        drop((shop, provider));
        tasks_are(before).await;
    }
}
