use std::time::Duration;

use super::around::DeadlinePattern;
use crate::event::Emitter;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::settings::{ConfigError, Errors, validate};

/// Gives every call one limit in clock time. See the [module](super).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineLayer {
    pub(super) limit: Option<Duration>,
    pub(crate) may_be_lengthened: bool,
    pub(super) emitter: Emitter,
}

/// A service whose calls end by their deadline, made by a [`DeadlineLayer`]. The service that it wraps
/// must be `Clone`. It is ready at once: the wait for the service that it wraps belongs to the
/// call.
pub type Deadline<S> = Layered<DeadlinePattern, S>;

impl DeadlineLayer {
    /// Every call ends within `limit` of its start, body included, unless its request has a
    /// [`CallDeadline`](crate::context::CallDeadline) of its own.
    pub fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), ..Self::inherited() }
    }

    /// No limit of its own, only existing deadlines: the request's
    /// [`CallDeadline`](crate::context::CallDeadline), the [`Scope`](crate::context::Scope)'s, that
    /// of a layer further out. A call without any may take for ever.
    pub fn inherited() -> Self {
        Self { limit: None, may_be_lengthened: true, emitter: Emitter::new() }
    }

    /// Whether a request may have more time than the layer's limit, by a
    /// [`CallDeadline`](crate::context::CallDeadline); yes by default. If not, the sooner of both
    /// counts.
    pub fn may_be_lengthened(mut self, may: bool) -> Self {
        self.may_be_lengthened = may;
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("deadline", |errors| self.check_into(errors))
    }

    /// The same with another limit, or none.
    pub(crate) fn with_limit(mut self, limit: Option<Duration>) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.limit
    }
}

impl Slot for DeadlineLayer {
    fn adopt(self, wiring: &Wiring) -> Self {
        self.emitter(wiring.emitter.clone())
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("limit", self.limit);
    }
}

impl Default for DeadlineLayer {
    fn default() -> Self {
        Self::inherited()
    }
}

pattern_layer!(DeadlineLayer => DeadlinePattern, AsIs, |settings| DeadlinePattern::new(settings.clone()));
