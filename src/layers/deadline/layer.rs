use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::service::Deadline;
use crate::event::Emitter;
use crate::settings::{ConfigError, Mistakes, checked};

/// Gives every call one limit in clock time. See the [module](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct DeadlineLayer {
    pub(super) limit: Option<Duration>,
    pub(super) emitter: Emitter,
    pub(super) shares_timers: bool,
}

impl DeadlineLayer {
    /// Every call is over within `limit`, body included.
    pub fn new(limit: Duration) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// Only deadlines that are inherited, from the request or the scope, are kept.
    pub fn inherited() -> Self {
        Self::default()
    }

    /// Where events go.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// Leaves the watch to a timer further in while one is armed that ends no later.
    ///
    /// Right only where the layers further in run in the caller's own task, as in the one stack.
    pub(crate) fn share_timers(mut self) -> Self {
        self.shares_timers = true;
        self
    }

    /// Names every setting that can't work.
    pub fn check(&self) -> Result<(), ConfigError> {
        checked("deadline", |mistakes| self.check_into(mistakes))
    }

    /// The same with another limit, or none.
    pub(crate) fn with_limit(mut self, limit: Option<Duration>) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    pub(crate) fn check_into(&self, mistakes: &mut Mistakes<'_>) {
        mistakes.refuse_zero("limit", self.limit);
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Deadline::new(inner, Arc::new(self.clone()))
    }
}
