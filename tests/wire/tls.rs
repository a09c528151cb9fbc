//! TLS: own roots, client certificates, HTTP/2 by ALPN, and handshakes that fail.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::Version;
use outrigger::circuit_breaker::Consecutive;
use outrigger::control::Credential;
use outrigger::event::{BreakerState, CloseCause};
use outrigger::outcome::{Fault, GaveUp, Phase};
use outrigger::{Delivery, Error, ErrorKind};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::calls::{answered, failed, get, post, said, user_flow};
use crate::frames::{Do, Framed, HTTP_1_1_REQUIRED, Turn};
use crate::pool::shop::{Http1, Shop};
use crate::provider::{Act, Provider, Step};
use crate::server::{Leave, Server};

/// An authority, and what it signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Authority {
    pub(crate) fn new() -> Self {
        let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().into();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, 2099)
    }

    /// An identity that ends when this year begins.
    fn identity_until(&self, name: &str, year: i32) -> Identity {
        let (params, key) = (CertificateParams::new([name.to_owned()]), KeyPair::generate());
        let (mut params, key) = (params.unwrap(), key.unwrap());
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.into()], key.into())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }

    /// A client that trusts it, and says who it is if it is somebody.
    pub(crate) fn client(&self, identity: Option<Identity>) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        }
    }

    /// A server that it vouches for under this name.
    pub(crate) fn server(&self, name: &str, protocols: &[&str]) -> Server {
        Server::with_tls(self.acceptor(name, protocols))
    }

    fn acceptor(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        let (chain, key) = self.identity(name);
        let config = server_config().with_no_client_auth().with_single_cert(chain, key).unwrap();
        acceptor(config, protocols)
    }

    /// A server that lets in just those whom it vouches for.
    fn closed_server(&self, protocol: &str) -> Server {
        let (chain, key) = self.identity(HERE);
        let provider = Arc::new(default_provider());
        let known =
            WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider).build();
        let builder = server_config().with_client_cert_verifier(known.unwrap());
        serve(builder.with_single_cert(chain, key).unwrap(), &[protocol])
    }

    fn shop(&self) -> Shop {
        let tls = self.client(None);
        Shop::new(Http1, |client| client.tls(tls).connect_timeout(Duration::from_secs(3)))
    }
}

const HERE: &str = "127.0.0.1";

fn server_config()
-> tokio_rustls::rustls::ConfigBuilder<ServerConfig, tokio_rustls::rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

fn serve(config: ServerConfig, protocols: &[&str]) -> Server {
    Server::with_tls(acceptor(config, protocols))
}

fn acceptor(mut config: ServerConfig, protocols: &[&str]) -> TlsAcceptor {
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn own_roots_are_trusted_and_the_protocol_is_agreed_on() {
    let authority = Authority::new();
    let spoken = [
        (&["http/1.1"][..], Version::HTTP_11),
        (&["h2", "http/1.1"], Version::HTTP_2),
        (&["h2"], Version::HTTP_2),
        (&[], Version::HTTP_11),
    ];
    for (protocols, version) in spoken {
        let server = authority.server(HERE, protocols);
        let shop = authority.shop();
        for _ in 0..5 {
            let response = answered(&shop, post(server.url("/"), "an order")).await;
            assert_eq!((response.version(), response.body().as_str()), (version, "well"));
        }
        assert_eq!(server.sockets().accepted, 1);
        assert_eq!(shop.rests().await.opened, 1);
    }
}

#[tokio::test]
async fn http1_is_spoken_to_a_host_that_offers_http2_where_nothing_else_is_wanted() {
    let authority = Authority::new();
    let server = authority.server(HERE, &["h2", "http/1.1"]);
    let tls = authority.client(None);
    let shop = Shop::new(Http1, |client| {
        client.http2_prior_knowledge().http1_only().tls(tls).connect_timeout(Duration::from_secs(3))
    });
    for _ in 0..2 {
        let response = answered(&shop, get(server.url("/"))).await;
        assert_eq!(response.version(), Version::HTTP_11);
    }
    assert_eq!(shop.rests().await.opened, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_wait_are_all_served_when_http2_is_agreed_on() {
    let authority = Authority::new();
    let server = authority.server(HERE, &["h2"]);
    let tls = authority.client(None);
    let shop = Shop::new(Http1, |client| {
        client.tls(tls).max_connections_per_host(2).connect_timeout(Duration::from_secs(3))
    });
    let calls: Vec<_> = (0..200).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "well");
    }
    assert!(server.sockets().accepted <= 2);
    // Two were made before anybody knew; one is enough.
    shop.until(|now| now.open == 1).await;
    let figures = shop.rests().await;
    assert_eq!(figures.closed.surplus, figures.opened - 1);
    // Now it is known.
    server.hang_up(Leave::Politely);
    shop.until(|now| now.open == 0).await;
    let calls: Vec<_> = (0..50).map(|_| shop.spawn(get(server.url("/slow")))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(shop.rests().await.opened, figures.opened + 1);
}

#[tokio::test]
async fn an_idle_connection_over_tls_that_is_closed_costs_a_post_nothing() {
    let authority = Authority::new();
    for protocols in [["http/1.1"], ["h2"]] {
        for how in [Leave::Politely, Leave::Abruptly] {
            let server = authority.server(HERE, &protocols);
            let shop = authority.shop();
            for n in 1..=3 {
                answered(&shop, post(server.url("/"), "an order")).await;
                assert_eq!(server.sockets().accepted, n);
                server.hang_up(how);
                shop.until(|now| now.open == 0).await;
            }
            shop.rests().await;
            if matches!(how, Leave::Politely) {
                assert_eq!(shop.closed(), [(CloseCause::ByPeer, 3)], "{protocols:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_shows_its_own_certificate() {
    let authority = Authority::new();
    for protocol in ["http/1.1", "h2"] {
        let server = authority.closed_server(protocol);
        let tls = authority.client(Some(authority.identity("shop.example")));
        let shop = Shop::new(Http1, |client| client.tls(tls));
        assert_eq!(answered(&shop, get(server.url("/"))).await.body(), "well");
    }
}

/// What ends, where, and when.
fn ends(shop: &Shop) -> Vec<(Credential, Option<String>, SystemTime)> {
    let expiries = shop.health().expiries;
    expiries.into_iter().map(|expiry| (expiry.credential, expiry.host, expiry.at)).collect()
}

/// 2050-01-01T00:00:00Z, from which on certificates write their years in four digits (RFC 5280,
/// 4.1.2.5), and the first day of the year before.
const IN_2050: Duration = Duration::from_secs(2_524_608_000);
const IN_2049: Duration = Duration::from_secs(2_524_608_000 - 365 * 86_400);

#[tokio::test]
async fn when_certificates_end_is_known() {
    let authority = Authority::new();
    let ours = authority.identity_until("shop.example", 2050);
    let theirs = authority.identity_until(HERE, 2049);
    let ours_ends = (Credential::ClientCertificate, None, SystemTime::UNIX_EPOCH + IN_2050);
    let host = Some(HERE.to_owned());
    let theirs_ends = (Credential::ServerCertificate, host, SystemTime::UNIX_EPOCH + IN_2049);
    for protocol in ["http/1.1", "h2"] {
        let config = server_config().with_no_client_auth();
        let config = config.with_single_cert(theirs.0.clone(), theirs.1.clone_key()).unwrap();
        let server = serve(config, &[protocol]);
        let tls = authority.client(Some((ours.0.clone(), ours.1.clone_key())));
        let shop = Shop::new(Http1, |client| client.tls(tls));
        assert_eq!(ends(&shop), std::slice::from_ref(&ours_ends), "before anything was sent");
        answered(&shop, get(server.url("/"))).await;
        assert_eq!(ends(&shop), [theirs_ends.clone(), ours_ends.clone()], "{protocol}");
    }
    let plain = Server::start();
    let shop = Shop::new(Http1, |client| client);
    answered(&shop, get(plain.url("/"))).await;
    assert_eq!(ends(&shop), []);
}

/// The certificates of a host that renews its own.
#[derive(Debug)]
struct Renewed(Mutex<Vec<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut left = self.0.lock().unwrap();
        if left.len() > 1 { left.pop() } else { left.last().cloned() }
    }
}

#[tokio::test]
async fn a_certificate_that_was_renewed_counts_and_a_resumed_session_shows_none() {
    let authority = Authority::new();
    let certified = |year| {
        let (chain, key) = authority.identity_until(HERE, year);
        Arc::new(CertifiedKey::from_der(chain, key, &default_provider()).unwrap())
    };
    for may_resume in [false, true] {
        let certificates = Renewed(Mutex::new(vec![certified(2050), certified(2049)]));
        let mut config =
            server_config().with_no_client_auth().with_cert_resolver(Arc::new(certificates));
        if !may_resume {
            config.send_tls13_tickets = 0;
        }
        let server = serve(config, &["http/1.1"]);
        let shop = authority.shop();
        let mut seen = Vec::new();
        for _ in 0..2 {
            answered(&shop, get(server.url("/"))).await;
            seen.extend(ends(&shop).into_iter().map(|(_, _, at)| at));
            server.hang_up(Leave::Politely);
            shop.until(|now| now.open == 0).await;
        }
        let second = if may_resume { IN_2049 } else { IN_2050 };
        assert_eq!(seen, [IN_2049, second].map(|at| SystemTime::UNIX_EPOCH + at), "{may_resume}");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_turned_away_where_one_is_wanted() {
    let authority = Authority::new();
    for protocol in ["http/1.1", "h2"] {
        let server = authority.closed_server(protocol);
        let error = failed(&authority.shop(), get(server.url("/"))).await;
        // With TLS 1.3, the client is through its handshake when it is turned away; a reset may
        // overtake the alert that says why, and a stream of HTTP/2 is told less than all of it.
        let kinds = [Fault::Tls, Fault::Protocol, Fault::Reset].map(ErrorKind::Transport);
        assert!(kinds.contains(&error.kind()), "{error:?}");
        assert_eq!(server.sockets().requests, 0);
    }
}

/// The handshake fails, whatever is asked, and nothing is left of it.
async fn fails_in_tls(shop: &Shop, url: &str) -> Error {
    failed(shop, get(url)).await;
    let error = failed(shop, post(url, "an order")).await;
    let kind = ErrorKind::Transport(Fault::Tls);
    assert_eq!(said(&error), (kind, Delivery::NotSent), "{error:?}");
    let host = url.parse::<http::Uri>().unwrap().authority().unwrap().to_string();
    assert_eq!(error.to_string(), format!("shop: tls failed at {host}"));
    assert!(error.is_connect());
    assert_eq!(shop.rests().await.opened, 0);
    error
}

#[tokio::test]
async fn a_server_that_nobody_known_vouches_for_is_not_spoken_to() {
    let server = Authority::new().server(HERE, &["h2", "http/1.1"]);
    let error = fails_in_tls(&Authority::new().shop(), &server.url("/")).await;
    // Another attempt would meet the same certificate.
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotRetryable)));
    // Mozilla doesn't know it either.
    fails_in_tls(&Shop::new(Http1, |client| client), &server.url("/")).await;
    assert_eq!(server.sockets().requests, 0);
}

#[tokio::test]
async fn a_server_of_another_name_is_not_spoken_to() {
    let authority = Authority::new();
    let server = authority.server("elsewhere.example", &["h2", "http/1.1"]);
    let error = fails_in_tls(&authority.shop(), &server.url("/")).await;
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotRetryable)));
    assert_eq!(server.sockets().requests, 0);
}

#[tokio::test]
async fn a_port_that_speaks_plain_http_fails_in_tls() {
    let server = Server::start();
    let url = server.url("/").replace("http:", "https:");
    let error = fails_in_tls(&Authority::new().shop(), &url).await;
    // Another attempt is wanted, and only not allowed here: it may be a port that is being set up.
    assert_eq!(error.gave_up(), Some(GaveUp::Attempts));
    assert_eq!(server.sockets().requests, 0);
}

#[tokio::test]
async fn a_port_that_speaks_tls_is_no_http_server() {
    let server = Authority::new().server(HERE, &["http/1.1"]);
    let url = server.url("/").replace("https:", "http:");
    let shop = Authority::new().shop();
    let error = failed(&shop, get(url)).await;
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
    assert_eq!(server.sockets().requests, 0);
    shop.until(|now| now.open == 0).await;
    shop.rests().await;
}

#[tokio::test]
async fn a_handshake_that_hangs_is_not_sent_and_repeated_even_without_a_key() {
    let provider = Provider::script([Step::of([Act::Hang])]).await;
    let url = provider.url("/").replace("http:", "https:");
    let limit = Duration::from_millis(100);
    let shop = Shop::of(user_flow(), Http1, |client| client.connect_timeout(limit));
    let error = failed(&shop, post(&url, "an order")).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Connect), Delivery::NotSent));
    assert_eq!((error.attempts(), error.gave_up()), (2, Some(GaveUp::Attempts)));
    // Both have been hung up on.
    provider.until(|counts| (counts.connections, counts.hung_up) == (2, 2)).await;
    assert_eq!(shop.rests().await.opened, 0);
}

#[tokio::test]
async fn a_handshake_that_hangs_speaks_against_the_provider() {
    let provider = Provider::script([Step::of([Act::Hang])]).await;
    let url = provider.url("/").replace("http:", "https:");
    let builder = user_flow().without_retry();
    let builder = builder.breaker(|breaker| {
        breaker.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO)
    });
    let limit = Duration::from_millis(100);
    let shop = Shop::of(builder, Http1, |client| client.connect_timeout(limit));
    failed(&shop, get(&url)).await;
    assert_eq!(shop.breaker().state(), BreakerState::Open);
}

#[tokio::test]
async fn a_handshake_that_is_broken_off_is_not_sent_and_repeated_even_without_a_key() {
    // The greeting has come, and no answer will.
    let pause = Act::Pause(Duration::from_millis(20));
    for end in [Act::Reset, Act::Fin] {
        let provider = Provider::script([Step::of([pause.clone(), end.clone()])]).await;
        let url = provider.url("/").replace("http:", "https:");
        let shop = Shop::of(user_flow(), Http1, |client| client);
        let error = failed(&shop, post(&url, "an order")).await;
        assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");
        assert!(error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!((error.attempts(), error.gave_up()), (2, Some(GaveUp::Attempts)));
        assert_eq!(provider.counts().connections, 2, "{end:?}");
        assert_eq!(shop.rests().await.opened, 0);
    }
}

#[tokio::test]
async fn a_host_that_wants_http1_after_all_is_offered_nothing_else() {
    let authority = Authority::new();
    let tls = authority.acceptor(HERE, &["h2", "http/1.1"]);
    let provider = Framed::with_tls(tls, [Turn::of([Do::Reset(HTTP_1_1_REQUIRED)])]).await;
    let client = authority.client(None);
    let shop = Shop::of(user_flow(), Http1, |it| {
        it.tls(client).connect_timeout(Duration::from_secs(3)).max_connections_per_host(1)
    });
    for n in 1..=3 {
        assert_eq!(answered(&shop, post(provider.url(), "")).await.body(), "old");
        let tally = provider.tally();
        assert_eq!((tally.requests, tally.http1_requests, tally.connections), (1, n, 2));
    }
    assert_eq!(shop.rests().await.open, 1);
}
