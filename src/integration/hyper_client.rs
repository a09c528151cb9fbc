use std::time::Duration;

use super::builder::{IntegrationBuilder, Source, sealed::Sealed};
use crate::event::Emitter;
use crate::settings::ConfigError;
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

    fn check(&self) -> Result<(), ConfigError> {
        self.0.check()
    }
}

impl IntegrationBuilder<OwnClient> {
    /// Sets options of the integration's own hyper client.
    pub fn hyper(mut self, adjust: impl FnOnce(HyperConfig) -> HyperConfig) -> Self {
        self.transport.0 = adjust(self.transport.0);
        self
    }
}
