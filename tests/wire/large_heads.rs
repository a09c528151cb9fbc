//! Heads of answers that are large, and the limits that they have.

use outrigger::outcome::{Class, Fault, GaveUp};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Delivery, ErrorKind};

use crate::calls::{answered, background, failed, get, post, said, user_flow};
use crate::heads::{UNREADABLE, read};
use crate::pool::shop::{BOTH, Http1, Http2, Shop};
use crate::server::Server;
use crate::tls::Authority;

const REFUSED: (ErrorKind, Delivery) = (ErrorKind::Transport(Fault::Protocol), Delivery::Answered);

#[tokio::test]
async fn many_fields_and_many_bytes_are_borne_on_every_way() {
    let authority = Authority::new();
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, |client| client);
        for path in ["/fields/150/120", "/fields/250/10", "/fields/2/100000"] {
            let response = answered(&shop, get(server.url(path))).await;
            assert_eq!(response.body(), "well", "{protocol:?} {path}");
            assert!(response.headers().len() > 2);
        }
        let alpn = if protocol == Http1 { "http/1.1" } else { "h2" };
        let server = authority.server("127.0.0.1", &[alpn]);
        let tls = authority.client(None);
        let shop = Shop::new(Http1, |client| client.tls(tls));
        let response = answered(&shop, get(server.url("/fields/150/120"))).await;
        assert_eq!(response.headers().keys().filter(|name| name.as_str() > "x-").count(), 150);
    }
}

#[cfg(feature = "proxy")]
#[tokio::test]
async fn many_fields_are_borne_through_a_proxy() {
    let proxy = Server::start();
    let through = proxy.url("");
    let shop = Shop::new(Http1, |client| client.proxy(&through, ""));
    let response = answered(&shop, get("http://crm.example/fields/150/120")).await;
    assert_eq!(response.headers().keys().filter(|name| name.as_str() > "x-").count(), 150);
}

#[tokio::test]
async fn a_head_over_the_limits_was_answered_is_not_asked_for_again_and_names_the_settings() {
    let usual = 256 * 1024;
    let cases = [
        (Http1, "/fields/257/10", usual),
        (Http1, "/fields/3/100000", usual),
        (Http2, "/fields/3/100000", usual),
    ];
    for (protocol, path, size) in cases {
        let server = Server::start();
        let shop = Shop::of(user_flow(), protocol, |client| client.max_head_size(size));
        for request in [get(server.url(path)), post(server.url(path), "an order")] {
            let error = failed(&shop, request).await;
            let chain: Vec<_> = crate::calls::chain(&error).map(ToString::to_string).collect();
            assert_eq!(said(&error), REFUSED, "{protocol:?} {path}: {error} {chain:?}");
            assert_eq!(error.attempts(), 1, "{protocol:?} {path}");
            let text = error.to_string();
            assert!(text.contains("max_header_fields") && text.contains("max_head_size"), "{text}");
        }
        assert_eq!(server.sockets().requests, 2, "{protocol:?} {path}");
        // Another of a common size is borne as before.
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    }
    // Of one that is far larger, h2 doesn't say why it refuses, or ends the connection for it, and with
    // that all its streams: not each of them was answered.
    for path in ["/fields/1/50000", "/fields/200/1000"] {
        let server = Server::start();
        let shop = Shop::new(Http2, |client| client.max_head_size(10_000));
        let error = failed(&shop, get(server.url(path))).await;
        assert_eq!(said(&error), UNREADABLE, "{path}");
        assert!(error.to_string().contains("max_head_size"), "{error}");
    }
}

#[tokio::test]
async fn a_head_over_the_limits_is_not_repeated_under_a_key_and_does_not_open_a_breaker() {
    let server = Server::start();
    let jobs = background().hyper(|client| client.max_header_fields(8)).build().unwrap();
    let error = failed(&jobs, post(server.url("/fields/20/1"), "an order")).await;
    assert_eq!((said(&error), error.attempts()), (REFUSED, 1));
    assert_eq!(error.gave_up(), Some(GaveUp::NotRetryable));

    let shop = outrigger::Integration::user_flow("shop")
        .hyper(|client| client.max_header_fields(8))
        .build()
        .unwrap();
    for _ in 0..40 {
        assert_eq!(said(&failed(&shop, get(server.url("/fields/20/1"))).await), REFUSED);
    }
    assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    assert_eq!(server.sockets().requests, 42);
}

#[tokio::test]
async fn a_fallback_stands_in_for_a_head_over_the_limits() {
    let server = Server::start();
    let shop = user_flow()
        .hyper(|client| client.max_header_fields(8))
        .fallback(outrigger::fallback::FallbackLayer::function(|failed| {
            assert_eq!(failed.class, Class::ClientError);
            Some(http::Response::new("stale".into()))
        }))
        .build()
        .unwrap();
    let response = answered(&shop, get(server.url("/fields/20/1"))).await;
    assert_eq!(response.body(), "stale");
}

#[tokio::test]
async fn the_limits_can_be_raised_and_lowered() {
    let raised = |client: HyperConfig| client.max_header_fields(600).max_head_size(2_000_000);
    let lowered = |client: HyperConfig| client.max_header_fields(20).max_head_size(8_000);
    for protocol in BOTH {
        let server = Server::start();
        let shop = Shop::new(protocol, raised);
        for path in ["/fields/500/10", "/fields/10/100000"] {
            let response = answered(&shop, get(server.url(path))).await;
            assert_eq!(response.body(), "well", "{protocol:?} {path}");
        }
        let shop = Shop::new(protocol, lowered);
        assert_eq!(answered(&shop, get(server.url("/fields/10/100"))).await.body(), "well");
        let error = failed(&shop, get(server.url("/fields/10/1000"))).await;
        assert_eq!(said(&error), REFUSED, "{protocol:?}");
    }
}

#[tokio::test]
async fn trailers_have_the_same_limits() {
    let trailer = "x".repeat(300_000);
    let raw = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\nx-sum: {trailer}\r\n\r\n"
    );
    let error = read(|client| client, raw, false).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Answered);
}

#[test]
fn limits_of_nothing_are_refused() {
    let client = HyperConfig::new().max_header_fields(0).max_head_size(0);
    let error = client.check().unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(outrigger::ValidationError::field).collect();
    assert_eq!(fields, ["hyper.max_header_fields", "hyper.max_head_size"]);
}
