//! Two integrations share nothing.

use std::time::Duration;

use super::shop::{BOTH, Shop};
use crate::calls::{answered, get, user_flow};
use crate::server::Server;

const LONG: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_provider_that_hangs_does_not_hold_up_another_integration() {
    let (hanging, well) = (Server::start(), Server::start());
    for protocol in BOTH {
        // Its calls must hang for as long as the others take, on however slow a machine.
        let patient = user_flow()
            .without_retry()
            .without_bulkhead()
            .without_breaker()
            .deadline(LONG)
            .timeout(|timeout| timeout.attempt(LONG));
        let bank = Shop::of(patient, protocol, |client| client.max_connections_per_host(4));
        let shop = Shop::new(protocol, |client| client.max_connections_per_host(4));
        let before = hanging.sockets().requests;
        let stuck: Vec<_> = (0..50).map(|_| bank.spawn(get(hanging.url("/gated")))).collect();
        hanging.until(|sockets| sockets.requests >= before + 4).await;
        // All of these are answered before a single one of those is.
        for _ in 0..100 {
            assert_eq!(answered(&shop, get(well.url("/"))).await.body(), "well");
        }
        assert!(stuck.iter().all(|call| !call.is_finished()));
        assert_eq!(shop.rests().await.opened, 1);
        hanging.let_go(50);
        for call in stuck {
            call.await.unwrap().unwrap();
        }
        bank.rests().await;
    }
}

#[tokio::test]
async fn two_integrations_have_connections_of_their_own_even_to_one_host() {
    for protocol in BOTH {
        let server = Server::start();
        let one = Shop::new(protocol, |client| client.max_connections_per_host(1));
        let other = Shop::new(protocol, |client| client.max_connections_per_host(1));
        let held = one.spawn(get(server.url("/gated")));
        server.until(|sockets| sockets.requests == 1).await;
        assert_eq!(answered(&other, get(server.url("/"))).await.body(), "well");
        assert_eq!((one.figures().in_use, other.figures().in_use), (1, 0));
        assert_eq!(server.sockets().accepted, 2);
        server.let_go(1);
        held.await.unwrap().unwrap();
        drop(one);
        server.until(|sockets| sockets.open == 1).await;
        assert_eq!(answered(&other, get(server.url("/"))).await.body(), "well");
        assert_eq!(other.rests().await.opened, 1);
    }
}

#[tokio::test]
async fn integrations_of_one_builder_share_no_pool() {
    let server = Server::start();
    let builder = user_flow().hyper(|client| client.max_connections_per_host(1));
    let (one, other) = (builder.clone().build().unwrap(), builder.build().unwrap());
    answered(&one, get(server.url("/"))).await;
    assert_eq!(other.pool().unwrap().figures().opened, 0);
    answered(&other, get(server.url("/"))).await;
    assert_eq!(server.sockets().accepted, 2);
}

#[tokio::test]
async fn a_client_that_is_not_the_integrations_own_has_no_pool() {
    let service = outrigger::testing::Script::new([outrigger::testing::Answer::status(200)]);
    let shop = outrigger::Integration::user_flow("shop").service(service).build().unwrap();
    assert!(shop.pool().is_none());
}
