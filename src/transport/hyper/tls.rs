//! With TLS, by rustls.

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::{ClientConfig, RootCertStore};

use super::config::HyperConfig;
use super::connect::Tcp;

/// How TLS is spoken; the default trusts Mozilla's roots.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(Option<ClientConfig>);

pub(super) const SCHEMES: &[&str] = &["http", "https"];

pub(super) type Connector = HttpsConnector<Tcp>;

impl HyperConfig {
    /// Speaks TLS by this configuration: own roots, client certificates, another cryptography.
    ///
    /// Its ALPN protocols are replaced by `h2` and `http/1.1`.
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.tls = Settings(Some(config));
        self
    }
}

pub(super) fn connector(mut tcp: Tcp, settings: &Settings) -> Connector {
    tcp.enforce_http(false);
    let mut config = settings.0.clone().unwrap_or_else(trust_mozilla);
    config.alpn_protocols.clear();
    HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp)
}

/// The cryptography is named, so that a process in which two are compiled in doesn't panic.
fn trust_mozilla() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
