//! Limits on uploads: what was handed over is not yet taken.

use std::io::Read;
use std::time::Duration;

use futures_util::future::join_all;
use outrigger::outcome::Phase;
use outrigger::timeout::TimeoutLayer;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Delivery, ErrorKind, Integration};

use crate::calls::{answered, failed, get, patient, post, said};
use crate::server::Server;
use crate::tls::Authority;

/// More than the client, the system and HTTP/2's windows hold.
const LARGE: usize = 24_000_000;
const LIMIT: Duration = Duration::from_millis(800);

/// A way to a provider.
struct Way {
    name: &'static str,
    server: Server,
    shop: Integration,
    url: String,
}

fn own(
    limits: impl FnOnce(TimeoutLayer) -> TimeoutLayer,
    adjust: impl FnOnce(HyperConfig) -> HyperConfig,
) -> Integration {
    patient().without_retry().timeout(limits).hyper(adjust).build().unwrap()
}

/// Every way, under these limits.
fn ways(limits: fn(TimeoutLayer) -> TimeoutLayer) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut add = |name, server: Server, shop| {
        let url = server.url("");
        ways.push(Way { name, server, shop, url });
    };
    add("http/1.1", Server::start(), own(limits, |client| client));
    add("http/2", Server::start(), own(limits, HyperConfig::http2_prior_knowledge));
    for alpn in ["http/1.1", "h2"] {
        let authority = Authority::new();
        let server = authority.server("127.0.0.1", &[alpn]);
        let tls = authority.client(None);
        add("tls", server, own(limits, |client| client.tls(tls)));
    }
    #[cfg(feature = "reqwest")]
    {
        let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
        let long = Duration::from_secs(30);
        let shop = Integration::user_flow("shop")
            .reqwest(client)
            .without_retry()
            .deadline(2 * long)
            .timeout(|timeout| limits(timeout.attempt(long)))
            .build()
            .unwrap();
        add("reqwest", Server::start(), shop);
    }
    #[cfg(feature = "proxy")]
    {
        let proxy = Server::start();
        let through = proxy.url("");
        let shop = own(limits, |client| client.proxy(&through, ""));
        ways.push(Way { name: "proxy", server: proxy, shop, url: "http://crm.example".into() });
    }
    ways
}

#[tokio::test]
async fn the_heads_limit_does_not_run_while_a_body_that_is_all_here_still_moves() {
    let moves = async |Way { name, server, shop, url }: Way| {
        let call = shop.send(post(format!("{url}/paused"), vec![0; LARGE]));
        let call = tokio::spawn(call);
        server.until(|sockets| sockets.requests == 1).await;
        tokio::time::sleep(LIMIT * 2).await;
        server.let_go(1);
        let response = call.await.unwrap().unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(response.into_body().text().await.unwrap(), "well", "{name}");
    };
    join_all(ways(|limits| limits.response_head(LIMIT)).into_iter().map(moves)).await;
}

#[tokio::test]
async fn a_body_that_is_all_here_and_that_nobody_reads_has_stalled() {
    let stalls = async |Way { name, server, shop, url }: Way| {
        let error = failed(&shop, post(format!("{url}/unread"), vec![0; LARGE])).await;
        assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Upload), Delivery::Unknown), "{name}");
        assert_eq!(error.limit(), Some(LIMIT));
        drop(server);
    };
    join_all(ways(|limits| limits.upload_stall(LIMIT)).into_iter().map(stalls)).await;
}

#[tokio::test]
async fn once_all_is_written_the_heads_limit_runs() {
    let limits = |limits: TimeoutLayer| limits.response_head(LIMIT).upload_stall(LIMIT * 5);
    let ends = async |Way { name, server, shop, url }: Way| {
        for size in [0, 100, 3_000_000] {
            let error = failed(&shop, post(format!("{url}/gated"), vec![0; size])).await;
            let kind = ErrorKind::Timeout(Phase::ResponseHead);
            assert_eq!(said(&error), (kind, Delivery::Unknown), "{name} {size}");
        }
        assert_eq!(server.sockets().requests, 3);
    };
    join_all(ways(limits).into_iter().map(ends)).await;
}

#[tokio::test]
async fn an_upload_that_moves_slowly_and_steadily_is_let_be() {
    for Way { name, shop, url, .. } in
        ways(|limits| limits.response_head(LIMIT).upload_stall(LIMIT))
    {
        for size in [0, 1, 65_536, 65_537, 9_000_000] {
            let answer = answered(&shop, post(format!("{url}/"), vec![0; size])).await;
            assert_eq!(answer.body(), "well", "{name} {size}");
        }
        assert_eq!(answered(&shop, get(format!("{url}/"))).await.body(), "well", "{name}");
    }
}

#[tokio::test]
async fn an_upload_that_waits_for_a_connection_has_not_stalled() {
    let server = Server::start();
    let limits = |limits: TimeoutLayer| limits.response_head(LIMIT).upload_stall(LIMIT);
    let shop = own(limits, |client| client.max_connections_per_host(1));
    let half = shop.send(get(server.url("/half"))).await.unwrap();
    let waits = tokio::spawn(shop.send(post(server.url("/"), vec![0; 100_000])));
    // Nor does the head's limit run, where there is nothing to upload.
    let asks = tokio::spawn(shop.send(get(server.url("/"))));
    tokio::time::sleep(LIMIT * 2).await;
    server.let_go(1);
    assert_eq!(half.into_body().text().await.unwrap(), "half and half");
    for waits in [waits, asks] {
        let response = waits.await.unwrap().unwrap();
        assert_eq!(response.into_body().text().await.unwrap(), "well");
    }
}

/// Uploads to a provider that reads nothing, and says which limit passed and how much was written.
fn upload_unread(size: usize) -> (Phase, usize) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_millis(300);
    let shop = own(|limits| limits.response_head(limit).upload_stall(limit), |client| client);
    let error = runtime.block_on(failed(&shop, post(url, vec![b'x'; size])));
    let (mut stream, _) = listener.accept().unwrap();
    // With its runtime, the client's end of the connection is gone: what it wrote is all that comes.
    drop((shop, runtime));
    let mut written = Vec::new();
    stream.read_to_end(&mut written).unwrap();
    let head = written.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    match error.kind() {
        ErrorKind::Timeout(phase) => (phase, written.len() - head),
        kind => panic!("{kind:?}"),
    }
}

#[test]
fn what_the_client_still_holds_back_is_not_taken() {
    let (phase, held_by_the_system) = upload_unread(LARGE);
    assert_eq!(phase, Phase::Upload);
    // Up to 400 KiB more than that are in the client's own buffer, and nobody has them.
    for more in [-300_000, 0, 60_000, 150_000, 250_000, 350_000] {
        let size = held_by_the_system.checked_add_signed(more).unwrap();
        let (phase, written) = upload_unread(size);
        match phase {
            Phase::ResponseHead => assert_eq!(written, size),
            Phase::Upload => assert!(written < size, "{written} of {size}"),
            other => panic!("{other:?}"),
        }
    }
}
