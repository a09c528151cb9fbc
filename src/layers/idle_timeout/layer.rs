use std::time::Duration;

use super::around::IdleTimeoutPattern;
use crate::event::Emitter;
use crate::pattern::Layered;
use crate::pattern::{AsIs, pattern_layer};
use crate::settings::{ConfigError, Mistakes, checked};

/// Limits the silence in an answer's body. See the [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct IdleTimeoutLayer {
    pub(crate) limit: Option<Duration>,
    pub(super) emitter: Emitter,
}

/// A service whose answers' bodies must not fall silent.
pub type IdleTimeout<S> = Layered<IdleTimeoutPattern, S>;

impl IdleTimeoutLayer {
    /// A body that is silent for `limit` while it is being read has failed.
    pub fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// Bodies may be silent for as long as the deadline lets them.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Where events go.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Names every setting that can't work.
    pub fn check(&self) -> Result<(), ConfigError> {
        checked("idle_timeout", |mistakes| self.check_into(mistakes))
    }

    pub(crate) fn check_into(&self, mistakes: &mut Mistakes<'_>) {
        mistakes.refuse_zero("limit", self.limit);
    }
}

pattern_layer!(IdleTimeoutLayer => IdleTimeoutPattern, AsIs, |settings| IdleTimeoutPattern::new(settings.clone()));
