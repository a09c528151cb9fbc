//! The ways to a provider, and the clients that go them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use outrigger::backoff::Backoff;
use outrigger::retry::RetryBudget;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Integration, IntegrationBuilder};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::provider::Provider;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Http1,
    Http2,
    Tls,
    Proxy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Own,
    Reqwest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    UserFlow,
    Background,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Get,
    /// Without a key of the caller's.
    Post,
    /// A POST under the caller's own key.
    Keyed,
}

/// Who the provider is over TLS, and who trusts it.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) own: TlsAcceptor,
    /// Signed by the same authority, for another name.
    pub(crate) other: TlsAcceptor,
    pub(crate) trusted: ClientConfig,
    /// A port that is taken, and on which nobody listens.
    pub(crate) nobody: SocketAddr,
}

impl Identity {
    pub(crate) fn new(nobody: SocketAddr) -> Self {
        let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into()).unwrap();
        let issuer = Issuer::new(params, key);
        let acceptor = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            let chain = vec![params.signed_by(&key, &issuer).unwrap().into()];
            let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key.into())
                .unwrap();
            TlsAcceptor::from(Arc::new(config))
        };
        let trusted = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { own: acceptor("127.0.0.1"), other: acceptor("elsewhere.example"), trusted, nobody }
    }
}

/// The limit of one attempt: long enough for the loopback on a busy machine.
pub(crate) const ATTEMPT: Duration = Duration::from_millis(400);
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);

impl Way {
    /// An integration that goes this way.
    pub(crate) fn integration(
        self,
        client: Client,
        preset: Preset,
        provider: &Provider,
        identity: &Identity,
    ) -> Integration {
        let builder = match preset {
            Preset::UserFlow => Integration::user_flow("shop"),
            Preset::Background => Integration::background("shop").retry(|r| r.max_attempts(4)),
        };
        match client {
            Client::Own => adjust(builder.hyper(|config| self.own(config, provider, identity))),
            Client::Reqwest => adjust(builder.reqwest(self.reqwest(provider))),
        }
    }

    fn own(self, config: HyperConfig, provider: &Provider, identity: &Identity) -> HyperConfig {
        let config = config.connect_timeout(ATTEMPT);
        match self {
            Self::Http1 => config,
            Self::Http2 => config.http2_prior_knowledge(),
            Self::Tls => config.tls(identity.trusted.clone()),
            Self::Proxy => config.proxy(&format!("http://{}", provider.address), ""),
        }
    }

    fn reqwest(self, provider: &Provider) -> reqwest::Client {
        let builder = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never());
        let builder = match self {
            // By itself, it never leaves a connection on which nobody answers any more.
            Self::Http2 => builder
                .http2_prior_knowledge()
                .http2_keep_alive_interval(ATTEMPT / 4)
                .http2_keep_alive_timeout(ATTEMPT / 4)
                .http2_keep_alive_while_idle(true),
            Self::Proxy => {
                let proxy = format!("http://{}", provider.address);
                builder.proxy(reqwest::Proxy::all(proxy).unwrap())
            }
            Self::Http1 | Self::Tls => builder,
        };
        builder.connect_timeout(ATTEMPT).build().unwrap()
    }

    pub(crate) fn request(self, ask: Ask, provider: &Provider) -> Request<Body> {
        let url = match self {
            Self::Http1 | Self::Http2 => format!("http://{}/charge", provider.address),
            Self::Tls => format!("https://{}/charge", provider.address),
            Self::Proxy => "http://shop.example/charge".to_owned(),
        };
        let builder = match ask {
            Ask::Get => return Request::get(url).body(Body::empty()).unwrap(),
            Ask::Post => Request::post(url),
            Ask::Keyed => Request::post(url).header("idempotency-key", "order-7"),
        };
        builder.body("amount=1000".into()).unwrap()
    }
}

fn adjust<T: outrigger::integration::Source>(builder: IntegrationBuilder<T>) -> Integration {
    builder
        .deadline(DEADLINE)
        .timeout(|timeout| timeout.attempt(ATTEMPT))
        .idle_timeout(ATTEMPT)
        .retry(|retry| {
            let backoff = Backoff::fixed(Duration::from_millis(10));
            retry.backoff(backoff).budget(RetryBudget::unlimited())
        })
        .without_breaker()
        .without_rate_limit()
        .build()
        .unwrap()
}
