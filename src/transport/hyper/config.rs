use std::time::Duration;

use super::service::HyperTransport;
use crate::config::{ConfigError, Mistakes, checked};

/// The settings of the own hyper client.
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a client is built of them"]
pub struct HyperConfig {
    pub(super) connect_timeout: Option<Duration>,
    pub(super) pool_idle_timeout: Option<Duration>,
    pub(super) pool_max_idle_per_host: usize,
    pub(super) tcp_keepalive: Option<Duration>,
    pub(super) http2_prior_knowledge: bool,
    pub(super) tls: super::tls::Settings,
}

impl HyperConfig {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            connect_timeout: Some(Duration::from_secs(1)),
            pool_idle_timeout: Some(Duration::from_secs(30)),
            pool_max_idle_per_host: usize::MAX,
            tcp_keepalive: Some(Duration::from_secs(30)),
            http2_prior_knowledge: false,
            tls: super::tls::Settings::default(),
        }
    }

    /// How long the making of a connection may take: name, TCP and TLS together.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// How long a connection is kept that nobody uses.
    pub fn pool_idle_timeout(mut self, limit: Duration) -> Self {
        self.pool_idle_timeout = Some(limit);
        self
    }

    /// How many connections to one host are kept that nobody uses.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.pool_max_idle_per_host = connections;
        self
    }

    /// After how much silence TCP asks whether the peer is still there.
    pub fn tcp_keepalive(mut self, silence: Duration) -> Self {
        self.tcp_keepalive = Some(silence);
        self
    }

    /// Speaks HTTP/2 without asking first (RFC 9113, 3.3).
    pub fn http2_prior_knowledge(mut self) -> Self {
        self.http2_prior_knowledge = true;
        self
    }

    /// A client with these settings and its own pool.
    pub fn build(self) -> Result<HyperTransport, ConfigError> {
        self.check()?;
        Ok(self.client())
    }

    /// Names every setting that can't work.
    pub fn check(&self) -> Result<(), ConfigError> {
        checked("hyper", |mistakes| self.check_into(mistakes))
    }

    pub(crate) fn client(&self) -> HyperTransport {
        HyperTransport::new(self)
    }

    pub(crate) fn connect_limit(&self) -> Option<Duration> {
        self.connect_timeout
    }

    fn check_into(&self, mistakes: &mut Mistakes<'_>) {
        mistakes.refuse_zero("connect_timeout", self.connect_timeout);
        mistakes.refuse_zero("tcp_keepalive", self.tcp_keepalive);
    }
}

impl Default for HyperConfig {
    fn default() -> Self {
        Self::new()
    }
}
