//! With TLS, by rustls.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tower_service::Service;
use webpki::{EndEntityCert, KeyUsage};

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
    /// Its ALPN protocols are replaced by `h2` and `http/1.1`, or by one of them: see
    /// [`http1_only`](Self::http1_only).
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

pub(super) fn connector(tcp: Via, config: &Prepared, wants_http1: bool) -> HttpsConnector<Via> {
    let mut config = Arc::clone(config);
    if wants_http1 {
        // A copy shares all large parts.
        Arc::make_mut(&mut config).alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    HttpsConnector::from((tcp, config))
}

/// When the certificate that the host presented expires. A resumed session presents none, but the
/// one of its beginning is remembered.
pub(super) fn server_expiry(io: &Io) -> Option<SystemTime> {
    let MaybeHttpsStream::Https(stream) = io else { return None };
    let (_, session) = stream.inner().get_ref();
    if session.handshake_kind() == Some(HandshakeKind::Resumed) {
        return None;
    }
    expiry(session.peer_certificates()?)
}

/// When our client certificate expires. The resolver is asked each time, because it may have been
/// renewed.
pub(super) fn client_expiry(config: &Prepared) -> Option<SystemTime> {
    let schemes = config.crypto_provider().signature_verification_algorithms.supported_schemes();
    let shown = config.client_auth_cert_resolver.resolve(&[], &schemes)?;
    expiry(&shown.cert)
}

/// When the first certificate of a chain expires. A verifier reports an expired one, so it is asked
/// about a day on which all are expired: it checks the dates before the signatures.
fn expiry(chain: &[CertificateDer<'_>]) -> Option<SystemTime> {
    let certificate = EndEntityCert::try_from(chain.first()?).ok()?;
    let last_day = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    let usage = KeyUsage::server_auth();
    let found = certificate.verify_for_usage(&[], &[], &[], last_day, usage, None, None);
    match found.err()? {
        webpki::Error::CertExpired { not_after, .. } => {
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
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
