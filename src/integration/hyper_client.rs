use std::time::Duration;

#[cfg(feature = "redirect")]
use http::Uri;

use super::builder::IntegrationBuilder;
use super::source::{Source, sealed::Sealed};
use crate::event::Emitter;
use crate::settings::ConfigError;
#[cfg(feature = "redirect")]
use crate::transport::hyper::AllowedUris;
use crate::transport::hyper::{HyperConfig, HyperTransport};
use crate::transport::pool::{PoolHandle, PoolLimits};

/// The integration's own hyper client, with its own pool.
#[derive(Clone, Debug)]
pub struct OwnClient(HyperConfig);

impl OwnClient {
    pub(super) fn new(connect: Duration) -> Self {
        Self(HyperConfig::new().connect_timeout(connect))
    }
}

impl Sealed for OwnClient {}

impl Source for OwnClient {
    type Transport = HyperTransport;
    const IS_OWN: bool = true;

    fn make(self, emitter: &Emitter) -> HyperTransport {
        HyperTransport::new(self.0, emitter.clone())
    }

    fn pool(transport: &HyperTransport) -> Option<PoolHandle> {
        Some(transport.pool())
    }

    fn limits(&self) -> Option<PoolLimits> {
        Some(self.0.limits)
    }

    fn with_limits(mut self, limits: PoolLimits) -> Self {
        self.0.limits = limits;
        self
    }

    #[cfg(feature = "redirect")]
    fn bounded_by(mut self, allows: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.0.redirects_to = AllowedUris::by(allows);
        self
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.0.check()
    }
}

impl IntegrationBuilder<OwnClient> {
    /// Sets options of the integration's own hyper client.
    #[doc(alias = "connect_timeout")]
    #[doc(alias = "pool_max_idle_per_host")]
    #[doc(alias = "pool_idle_timeout")]
    #[doc(alias = "add_root_certificate")]
    #[doc(alias = "identity")]
    #[doc(alias = "proxy")]
    #[doc(alias = "dns_resolver")]
    #[doc(alias = "http1_only")]
    #[doc(alias = "http2_prior_knowledge")]
    pub fn hyper(mut self, adjust: impl FnOnce(HyperConfig) -> HyperConfig) -> Self {
        self.transport.0 = adjust(self.transport.0);
        self
    }

    /// Asks for answers in gzip, br or zstd, and decodes them; off by default. See
    /// [compressed answers](crate::transport::hyper#compressed-answers).
    #[cfg(feature = "decompression")]
    #[doc(alias = "gzip")]
    #[doc(alias = "brotli")]
    #[doc(alias = "zstd")]
    pub fn decompression(self) -> Self {
        self.hyper(HyperConfig::decompression)
    }

    /// Follows at most ten redirects a request, all within the attempt's time; none by default. See
    /// [redirects](crate::transport::hyper#redirects). Another number is the client's
    /// [`max_redirects`](HyperConfig::max_redirects).
    #[cfg(feature = "redirect")]
    #[doc(alias = "redirect")]
    pub fn follow_redirects(self) -> Self {
        self.hyper(HyperConfig::follow_redirects)
    }
}
