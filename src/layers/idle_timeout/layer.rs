use std::time::Duration;

use super::around::IdleTimeoutPattern;
use crate::event::Emitter;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::settings::{ConfigError, Errors, validate};

/// Limits the time between frames of an answer's body. See the [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct IdleTimeoutLayer {
    pub(crate) limit: Option<Duration>,
    pub(super) emitter: Emitter,
}

/// A service whose answers' bodies must not stall, made by a [`IdleTimeoutLayer`]. The service that it
/// wraps must be `Clone`.
pub type IdleTimeout<S> = Layered<IdleTimeoutPattern, S>;

impl IdleTimeoutLayer {
    /// A body fails if its reader waits for a frame for `limit`. Time in which the reader doesn't ask
    /// for a frame doesn't count.
    pub fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// No limit: a body may stall until the deadline, or without one for ever.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("idle_timeout", |errors| self.check_into(errors))
    }
}

impl Slot for IdleTimeoutLayer {
    fn adopt(self, wiring: &Wiring) -> Self {
        self.emitter(wiring.emitter.clone())
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("limit", self.limit);
    }
}

pattern_layer!(IdleTimeoutLayer => IdleTimeoutPattern, AsIs, |settings| IdleTimeoutPattern::new(settings.clone()));
