//! With TLS, by rustls.

use std::sync::Arc;

use http::Uri;
use hyper_rustls::HttpsConnector;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use super::config::HyperConfig;
use super::proxy::Via;

/// How TLS is spoken; the default trusts Mozilla's roots.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(Option<ClientConfig>);

/// The configuration as every connection uses it.
pub(super) type Prepared = Arc<ClientConfig>;

pub(super) type Io = <HttpsConnector<Via> as Service<Uri>>::Response;

pub(super) const SCHEMES: &[&str] = &["http", "https"];

impl HyperConfig {
    /// Speaks TLS by this configuration: own roots, client certificates, another cryptography.
    ///
    /// Its ALPN protocols are replaced by `h2` and `http/1.1`.
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.tls = Settings(Some(config));
        self
    }
}

pub(super) fn prepare(settings: &Settings) -> Prepared {
    let mut config = settings.0.clone().unwrap_or_else(trust_mozilla);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

pub(super) fn connector(tcp: Via, config: &Prepared) -> HttpsConnector<Via> {
    HttpsConnector::from((tcp, Arc::clone(config)))
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
