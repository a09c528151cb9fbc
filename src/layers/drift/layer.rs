use std::sync::Arc;

use http::HeaderName;

use super::around::DriftPattern;
use super::config::DriftConfig;
use super::handle::DriftHandle;
#[cfg(feature = "json")]
use super::shapes::ShapeConfig;
use super::shared::Shared;
use super::state::Now;
use crate::event::Emitter;
use crate::pattern::{AsIs, Layered, Slot, Wiring, pattern_layer};
use crate::rt::{self, Clock};
use crate::settings::{ConfigError, Errors, validate};

/// Notices in a provider's answers that its API changes. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares what was noticed and learned.
/// So does an integration that was built with it; of several, all do if a handle was taken before,
/// otherwise each notices for itself.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DriftLayer {
    pub(crate) config: DriftConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

/// A service whose answers are watched, made by a [`DriftLayer`]. The service that it wraps must be
/// `Clone`.
pub type DriftService<S> = Layered<Option<DriftPattern>, S>;

impl DriftLayer {
    /// Watches the headers of answers.
    pub fn new() -> Self {
        Self {
            config: DriftConfig::default(),
            shared: Shared::new(),
            emitter: Emitter::new(),
            clock: Clock::system(),
        }
    }

    /// Watches nothing.
    pub fn disabled() -> Self {
        let mut layer = Self::new();
        layer.config.watch = false;
        layer
    }

    /// Reads this header too, in which the provider writes about deprecations;
    /// `X-Shopify-API-Deprecated-Reason` is read by default.
    pub fn notice_header(mut self, name: HeaderName) -> Self {
        if !self.config.notice_headers.contains(&name) {
            self.config.notice_headers.push(name);
        }
        self
    }

    /// Learns the shapes of answers in JSON, and tells when they change. Not by default.
    #[cfg(feature = "json")]
    pub fn shapes(mut self, config: ShapeConfig) -> Self {
        self.config.shapes = Some(config);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The clock for the dates of what was noticed; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// A handle that reads what was noticed, and exports and imports shapes.
    #[must_use]
    pub fn handle(&self) -> DriftHandle {
        self.shared.ownership.share();
        self.reader()
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("drift", |errors| self.check_into(errors))
    }

    /// A handle that doesn't mark what was noticed as shared.
    pub(crate) fn reader(&self) -> DriftHandle {
        DriftHandle::new(Arc::clone(&self.shared), self.clock)
    }

    pub(super) fn now(&self) -> Now {
        Now { at: rt::now(), wall: self.clock.wall() }
    }
}

impl Slot for DriftLayer {
    /// It keeps what was noticed, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopts = self.shared.ownership.adopt();
        let shared = if adopts { self.shared } else { Shared::new() };
        Self { shared, emitter: wiring.emitter.clone(), ..self }
    }

    /// These settings, with what the running layer has noticed and learned.
    fn inherit(self, running: &Self) -> Self {
        Self { config: self.config, ..running.clone() }
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
    }
}

impl Default for DriftLayer {
    fn default() -> Self {
        Self::new()
    }
}

pattern_layer!(DriftLayer => Option<DriftPattern>, AsIs, |layer| {
    layer.config.watch.then(|| DriftPattern::new(layer.clone()))
});
