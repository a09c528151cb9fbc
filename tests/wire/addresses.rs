//! A name with several addresses, not all of which answer.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use outrigger::outcome::{Fault, Phase};
use outrigger::transport::hyper::{HyperConfig, Resolve, Resolved};
use outrigger::{Delivery, ErrorKind};

use crate::calls::{Blackhole, answered, failed, get, patient, said};
use crate::pool::shop::{BOTH, Http1, Http2, Protocol, Shop};
use crate::provider::{Act, Provider, Step, answer};
use crate::server::Server;
use crate::tls::Authority;

/// Every name has these addresses.
struct Addresses(Vec<SocketAddr>);

impl Resolve for Addresses {
    fn resolve(&self, _: &str) -> Resolved {
        let addresses = self.0.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

/// 127.0.0.`last`, with the port that the URI names.
fn loopback(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], 0))
}

/// Addresses from 127.0.0.2 on that ignore everybody at this port.
async fn silent(count: u8, port: u16) -> Vec<Blackhole> {
    join_all((2..2 + count).map(|last| silent_at(last, port))).await
}

async fn silent_at(last: u8, port: u16) -> Blackhole {
    Blackhole::at(SocketAddr::from(([127, 0, 0, last], port))).await
}

fn shop(
    protocol: Protocol,
    addresses: Vec<SocketAddr>,
    adjust: impl FnOnce(HyperConfig) -> HyperConfig,
) -> Shop {
    Shop::of(patient().without_retry().without_bulkhead(), protocol, |client| {
        let client = client.resolver(Addresses(addresses)).connect_timeout(LIMIT);
        adjust(client)
    })
}

fn named(server: SocketAddr) -> String {
    format!("http://crm.example:{}/", server.port())
}

/// A quarter of it is shorter than the second after which the system asks a silent address again.
const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn the_second_address_is_reached_where_the_first_is_silent() {
    for protocol in BOTH {
        let server = Server::start();
        let _silent = silent(1, server.address().port()).await;
        let shop = shop(protocol, vec![loopback(2), loopback(1)], |client| client);
        assert_eq!(answered(&shop, get(named(server.address()))).await.body(), "well");
        assert_eq!((server.sockets().accepted, shop.rests().await.opened), (1, 1));
    }
}

#[tokio::test]
async fn the_last_of_eight_addresses_is_reached_where_the_others_are_silent() {
    let server = Server::start();
    let _silent = silent(7, server.address().port()).await;
    let addresses = (2..9).chain([1]).map(loopback).collect();
    // However long one should be waited for: the last has half of the limit.
    let shop = shop(Http1, addresses, |client| client.happy_eyeballs(LIMIT));
    assert_eq!(answered(&shop, get(named(server.address()))).await.body(), "well");
}

#[tokio::test]
async fn an_address_is_waited_for_until_the_limit_although_others_are_tried() {
    let first = Blackhole::at(loopback(1)).await;
    let _others = silent(3, first.address.port()).await;
    let url = named(first.address);
    let shop = shop(Http1, [1, 2, 3, 4].map(loopback).to_vec(), |client| client);
    // By then, the system has asked once; it asks again after a second in all. A quarter of the limit
    // would have been over by then.
    let late = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        first.open(answer(200, "late")).await;
    };
    tokio::select! {
        answer = answered(&shop, get(url)) => assert_eq!(answer.body(), "late"),
        () = late => unreachable!(),
    }
}

#[tokio::test]
async fn an_address_that_refuses_costs_no_time() {
    let server = Server::start();
    let addresses = [2, 3, 4, 1].map(loopback).to_vec();
    // The wait is longer than the call may last.
    let shop = shop(Http1, addresses, |client| client.happy_eyeballs(LIMIT * 10));
    assert_eq!(answered(&shop, get(named(server.address()))).await.body(), "well");
}

#[tokio::test]
async fn the_families_take_turns() {
    let server = Server::start();
    let _silent = silent(2, server.address().port()).await;
    // Nothing listens there, and where there is no IPv6, the system says so.
    let sixth = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0));
    let addresses = vec![sixth, loopback(2), sixth, loopback(3), loopback(1)];
    let shop = shop(Http1, addresses, |client| client);
    assert_eq!(answered(&shop, get(named(server.address()))).await.body(), "well");
}

#[tokio::test]
async fn what_is_said_names_how_many_did_not_answer() {
    let limit = Duration::from_millis(400);
    let first = Blackhole::at(loopback(2)).await;
    let port = first.address.port();
    let _second = silent_at(3, port).await;
    for (addresses, text) in [
        (vec![loopback(2)], "the host did not take the connection"),
        (vec![loopback(2), loopback(3)], "none of the host's 2 addresses took the connection"),
    ] {
        let shop = shop(Http1, addresses, |client| client.connect_timeout(limit));
        let error = failed(&shop, get(named(first.address))).await;
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
        let host = error.host().unwrap();
        assert_eq!(
            error.to_string(),
            format!("shop: connect timed out after 400ms at {host}: {text}")
        );
    }
}

#[cfg(feature = "serde")]
#[tokio::test]
async fn a_limit_that_was_changed_meanwhile_holds_for_all_addresses() {
    let first = Blackhole::at(loopback(2)).await;
    let _second = silent_at(3, first.address.port()).await;
    let shop = shop(Http1, vec![loopback(2), loopback(3)], |client| client);
    let limit = Duration::from_millis(350);
    shop.apply(&toml::from_str("hyper.connect_timeout = '350ms'").unwrap()).unwrap();
    let error = failed(&shop, get(named(first.address))).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
    assert_eq!(error.limit(), Some(limit));
    assert!(error.elapsed().unwrap() < LIMIT, "{error:?}");
}

#[tokio::test]
async fn addresses_that_all_refuse_are_refused_and_none_at_all_is_no_name() {
    let refused = Provider::script([Step::reply(200, "")]).await;
    // Nobody listens at that port but on 127.0.0.1.
    let url = refused.url("/").replace("127.0.0.1", "crm.example");
    let shop = |addresses| shop(Http1, addresses, |client| client);
    let error = failed(&shop(vec![loopback(2), loopback(3)]), get(&url)).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Refused), Delivery::NotSent));
    let error = failed(&shop(Vec::new()), get(&url)).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Dns), Delivery::NotSent));
}

#[tokio::test]
async fn a_silent_address_is_passed_over_below_tls() {
    for (protocol, alpn) in [(Http1, "http/1.1"), (Http2, "h2")] {
        let authority = Authority::new();
        let server = authority.server("crm.example", &[alpn]);
        let _silent = silent(1, server.address().port()).await;
        let tls = authority.client(None);
        let shop = shop(Http1, vec![loopback(2), loopback(1)], |client| client.tls(tls));
        let url = named(server.address()).replace("http://", "https://");
        assert_eq!(answered(&shop, get(url)).await.body(), "well", "{protocol:?}");
    }
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn a_silent_address_of_a_proxy_is_passed_over() {
    let proxy = Provider::script([Step::reply(200, "from afar")]).await;
    let port = proxy.url("").rsplit(':').next().unwrap().parse().unwrap();
    let _silent = silent(1, port).await;
    let through = format!("http://proxy.example:{port}");
    let addresses = vec![loopback(2), loopback(1)];
    let shop = shop(Http1, addresses, |client| client.proxy(&through, ""));
    assert_eq!(answered(&shop, get("http://crm.example/")).await.body(), "from afar");
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn a_proxy_that_is_silent_is_not_taken_for_the_host() {
    let limit = Duration::from_millis(400);
    let hole = Blackhole::at(loopback(2)).await;
    let silent = Provider::script([Step::read_then(Act::Hang)]).await;
    let port = |url: &str| url.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    for (at, last, url, text) in [
        (hole.address.port(), 2, "http://crm.example/", "the proxy did not take the connection"),
        (
            port(&silent.url("")),
            1,
            "https://crm.example/",
            "the proxy took the connection, and then was silent",
        ),
    ] {
        let through = format!("http://proxy.example:{at}");
        let shop = shop(Http1, vec![loopback(last)], |client| {
            client.proxy(&through, "").connect_timeout(limit)
        });
        let error = failed(&shop, get(url)).await;
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
        let host = error.host().unwrap();
        assert_eq!(
            error.to_string(),
            format!("shop: connect timed out after 400ms at {host}: {text}")
        );
    }
}
