//! Answers over HTTP/2 that nobody reads, beside those that somebody waits for.

use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::outcome::Phase;

use crate::calls::{answered, get, patient};
use crate::pool::shop::{Http1, Http2, Shop};
use crate::server::Server;
use crate::tls::Authority;

/// So many answers of so many bytes are kept unread, and the next is read all the same.
async fn are_kept_unread(shop: &Shop, server: &Server, answers: usize, bytes: usize) {
    let mut kept = Vec::new();
    for _ in 0..answers {
        kept.push(shop.send(get(server.url(&format!("/bytes/{bytes}")))).await.unwrap());
    }
    // Until as much of them has come as may.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let next = shop.send(get(server.url("/"))).await.unwrap();
    assert_eq!(next.into_body().text().await.unwrap(), "well", "{answers} of {bytes}");
    let large = shop.send(get(server.url("/bytes/3000000"))).await.unwrap();
    assert_eq!(large.into_body().bytes().await.unwrap().len(), 3_000_000);
    assert_eq!(server.sockets().accepted, 1, "all over one connection");
    for answer in kept {
        assert_eq!(answer.into_body().bytes().await.unwrap().len(), bytes);
    }
}

fn shop() -> Shop {
    Shop::of(patient().without_retry().without_bulkhead(), Http2, |client| client)
}

#[tokio::test]
async fn a_few_large_answers_that_nobody_reads_do_not_starve_the_next() {
    let server = Server::start();
    are_kept_unread(&shop(), &server, 3, 4_000_000).await;
}

#[tokio::test]
async fn as_many_answers_as_a_preset_has_places_do_not_starve_the_next() {
    let server = Server::start();
    are_kept_unread(&shop(), &server, 64, 1_200_000).await;
}

#[tokio::test]
async fn many_small_answers_that_nobody_reads_do_not_starve_the_next() {
    let server = Server::start();
    are_kept_unread(&shop(), &server, 400, 20_000).await;
}

#[tokio::test]
async fn nor_do_they_over_tls() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", &["h2"]);
    let tls = authority.client(None);
    let builder = patient().without_retry().without_bulkhead();
    // The protocol is agreed on.
    let shop = Shop::of(builder, Http1, |client| client.tls(tls));
    are_kept_unread(&shop, &server, 3, 4_000_000).await;
}

#[tokio::test]
async fn narrow_windows_can_be_set_and_are_used_up() {
    let server = Server::start();
    let idle = Duration::from_millis(300);
    let builder = patient().without_retry().idle_timeout(idle);
    let shop = Shop::of(builder, Http2, |client| client.http2_windows(65_535, 65_535));
    let kept = shop.send(get(server.url("/bytes/4000000"))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let next = shop.send(get(server.url("/"))).await.unwrap();
    let error = next.into_body().text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
    drop(kept);
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
}

#[test]
fn windows_that_can_not_be_are_refused() {
    for (stream, connection) in [(0, 65_535), (2_000, 1_000), (1, u32::MAX)] {
        let client = outrigger::transport::hyper::HyperConfig::new();
        let error = client.http2_windows(stream, connection).check().unwrap_err();
        assert_eq!(error.errors()[0].field(), "hyper.http2_windows");
    }
}
