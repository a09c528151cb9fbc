//! Through a proxy.

use outrigger::outcome::Fault;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Delivery, ErrorKind};

use crate::calls::{answered, failed, get, said, user_flow};
use crate::provider::{Act, Provider, Step};

#[tokio::test]
async fn a_plain_request_is_forwarded_with_an_absolute_target_and_its_credentials() {
    let proxy = Provider::script([Step::reply(200, "from afar")]).await;
    let address = proxy.url("").replace("http://", "http://ada:secret@");
    let shop = user_flow().hyper(|client| client.proxy(&address, "")).build().unwrap();
    let response = answered(&shop, get("http://crm.example/contacts?id=7")).await;
    assert_eq!(response.body(), "from afar");
    let seen = &proxy.seen()[0];
    assert_eq!(seen.target, "http://crm.example/contacts?id=7");
    assert_eq!(seen.header("host"), Some("crm.example"));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic YWRhOnNlY3JldA=="));
}

#[tokio::test]
async fn credentials_in_a_uri_reach_no_proxy() {
    let proxy = Provider::script([Step::reply(200, "from afar")]).await;
    let through = proxy.url("");
    let shop = user_flow().hyper(|client| client.proxy(&through, "")).build().unwrap();
    let error = failed(&shop, get("http://ada:SECRET@crm.example/")).await;
    assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent));
    assert_eq!(proxy.counts().connections, 0);
}

#[tokio::test]
async fn a_host_that_is_excepted_is_reached_straight() {
    let provider = Provider::script([Step::reply(200, "near")]).await;
    let proxy = Provider::script([Step::reply(200, "from afar")]).await;
    let through = proxy.url("");
    let shop = user_flow().hyper(|client| client.proxy(&through, "127.0.0.1")).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "near");
    assert_eq!(provider.seen()[0].target, "/");
    assert_eq!(proxy.counts().requests, 0);
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_tunnel_that_the_proxy_refuses_is_a_connection_that_was_never_made() {
    let refuses = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let proxy = Provider::script([Step::write(refuses).then(Act::Fin)]).await;
    let through = proxy.url("");
    let shop =
        user_flow().without_retry().hyper(|client| client.proxy(&through, "")).build().unwrap();
    let error = failed(&shop, get("https://crm.example/contacts")).await;
    assert_eq!(said(&error), (ErrorKind::Transport(Fault::Connect), Delivery::NotSent));
    assert_eq!(proxy.seen()[0].target, "crm.example:443");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_when_the_client_is_built() {
    for proxy in [
        "htp://proxy.example:3128",
        "http://proxy.example:3128\n",
        "http://proxy.example:3128 ",
        "/",
        "",
        "socks5://127.0.0.1:9",
        "https://proxy.example",
    ] {
        let shop = user_flow().hyper(|client| client.proxy(proxy, "*")).build();
        let error = shop.unwrap_err().to_string();
        assert!(error.contains("hyper.proxy: it must be like http://user:password@"), "{error}");
        let error = HyperConfig::new().proxy(proxy, "").build().unwrap_err().to_string();
        assert!(error.contains("proxy: it must be like"), "{proxy:?}: {error}");
    }
}
