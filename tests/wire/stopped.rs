//! A kill switch that is thrown while a thousand calls are under way on real sockets.

use outrigger::event::SwitchMode;
use outrigger::outcome::Rejection;
use outrigger::{Delivery, ErrorKind, Integration};
use tokio::task::JoinHandle;

use crate::calls::{answered, get, patient};
use crate::pool::shop::{BOTH, Protocol, Shop};
use crate::server::Server;

const CALLS: usize = 1_000;
/// As many of them are sent at once.
const PLACES: usize = 100;

fn shop(protocol: Protocol) -> Shop {
    let builder = patient()
        .without_retry()
        .bulkhead(|bulkhead| bulkhead.concurrency(100).queue(u32::try_from(CALLS).unwrap()));
    Shop::of(builder, protocol, |client| client.max_connections_per_host(100))
}

fn call(shop: &Integration, url: String) -> JoinHandle<Result<String, outrigger::Error>> {
    let call = shop.send(get(url));
    tokio::spawn(async move { call.await?.into_body().text().await })
}

async fn thrown(protocol: Protocol) {
    let server = Server::start();
    let shop = shop(protocol);
    let under_way: Vec<_> = (0..CALLS).map(|_| call(&shop, server.url("/gated"))).collect();
    server.until(|sockets| sockets.requests == PLACES).await;
    while shop.bulkhead().waiting() as usize + PLACES < CALLS {
        tokio::task::yield_now().await;
    }
    shop.kill_switch().set(SwitchMode::Off, "ada", "wrong invoices");
    for _ in 0..CALLS {
        let error = shop.send(get(server.url("/stopped"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
    }
    // What went out before finishes, and who waited for a place sends nothing more.
    server.let_go(CALLS);
    let mut well = 0;
    for call in under_way {
        match call.await.unwrap() {
            Ok(body) => well += usize::from(body == "well"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped)),
        }
    }
    assert_eq!((well, server.sockets().requests), (PLACES, PLACES));
    assert!(server.targets().iter().all(|target| target == "/gated"), "something got through");
    assert_eq!((shop.bulkhead().in_use(), shop.bulkhead().waiting()), (0, 0));

    shop.kill_switch().set(SwitchMode::On, "ada", "");
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!(server.sockets().requests, PLACES + 1);
    let figures = shop.rests().await;
    assert_eq!(u64::from(figures.open), figures.opened, "no connection was lost over it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_next_call_on_nothing_reaches_the_provider() {
    for protocol in BOTH {
        thrown(protocol).await;
    }
}

/// Who waited for a connection when it was thrown sends nothing over the one that comes free.
#[tokio::test]
async fn a_call_that_waits_for_a_connection_is_refused_when_it_gets_one() {
    let server = Server::start();
    let shop = Shop::new(Protocol::Http1, |client| client.max_connections_per_host(1));
    let held = shop.spawn(get(server.url("/gated")));
    server.until(|sockets| sockets.requests == 1).await;
    let waiting = shop.spawn(get(server.url("/stopped")));
    shop.until(|now| now.waiting == 1).await;
    shop.kill_switch().set(SwitchMode::Off, "ada", "wrong invoices");
    server.let_go(1);
    assert_eq!(held.await.unwrap().unwrap(), "well");
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
    assert_eq!((error.delivery(), shop.kill_switch().rejected()), (Delivery::NotSent, 1));
    assert_eq!(shop.breaker().counts().failed, 0);
    shop.kill_switch().set(SwitchMode::On, "ada", "");
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!((shop.rests().await.opened, server.sockets().requests), (1, 2));
}

/// Thrown to and fro by one while many call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thrown_to_and_fro_under_load_every_call_is_answered_or_refused() {
    for protocol in BOTH {
        let server = Server::start();
        let shop = shop(protocol);
        let calls: Vec<_> = (0..CALLS)
            .map(|at| {
                let mode = if at % 20 < 10 { SwitchMode::On } else { SwitchMode::Off };
                shop.kill_switch().set(mode, "ada", "");
                call(&shop, server.url("/"))
            })
            .collect();
        shop.kill_switch().set(SwitchMode::On, "ada", "");
        let (mut well, mut refused) = (0, 0);
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => well += 1,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
                    refused += 1;
                }
            }
        }
        assert_eq!((well + refused, well), (CALLS, server.sockets().requests));
        assert_eq!(shop.kill_switch().rejected(), refused as u64);
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
        shop.rests().await;
    }
}
