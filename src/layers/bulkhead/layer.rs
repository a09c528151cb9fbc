use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::handle::BulkheadHandle;
use super::service::Bulkhead;
use super::state::Places;
use crate::config::{ConfigError, Mistakes, checked};
use crate::event::Emitter;

/// Bounds concurrency. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its places.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct BulkheadLayer {
    /// Absent where concurrency isn't bounded.
    pub(super) places: Option<Arc<Places>>,
    pub(super) concurrency: Option<u32>,
    pub(super) queue: u32,
    pub(super) queue_wait: Option<Duration>,
    pub(super) emitter: Emitter,
}

impl BulkheadLayer {
    /// At most `concurrency` calls at a time, none in the queue.
    pub fn new(concurrency: u32) -> Self {
        Self { concurrency: Some(concurrency), ..Self::unlimited() }.rebuilt()
    }

    /// No bound: calls pass as they come.
    pub fn unlimited() -> Self {
        let (places, concurrency, queue_wait) = (None, None, None);
        Self { places, concurrency, queue: 0, queue_wait, emitter: Emitter::new() }
    }

    /// How many calls may be under way.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = Some(concurrency);
        self.rebuilt()
    }

    /// How many calls may wait for a place.
    pub fn queue(mut self, calls: u32) -> Self {
        self.queue = calls;
        self.rebuilt()
    }

    /// How long a call may wait for a place; without, until its deadline.
    pub fn queue_wait(mut self, limit: Duration) -> Self {
        self.queue_wait = Some(limit);
        self
    }

    /// Where events go.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// A handle that reads how many places are taken.
    #[must_use]
    pub fn handle(&self) -> BulkheadHandle {
        BulkheadHandle::new(self.places.clone())
    }

    /// Names every setting that can't work.
    pub fn check(&self) -> Result<(), ConfigError> {
        checked("bulkhead", |mistakes| self.check_into(mistakes))
    }

    pub(crate) fn check_into(&self, mistakes: &mut Mistakes<'_>) {
        if self.concurrency == Some(0) {
            mistakes.add(
                "concurrency",
                "zero places let nothing through: allow at least one, or leave it unlimited",
            );
        }
        if self.queue > 0 {
            mistakes.refuse_zero("queue_wait", self.queue_wait);
        }
    }

    /// The same layer, with places of its own.
    pub(crate) fn apart(self) -> Self {
        self.rebuilt()
    }

    fn rebuilt(mut self) -> Self {
        self.places = self.concurrency.map(|limit| Arc::new(Places::new(limit, self.queue)));
        self
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = Bulkhead<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Bulkhead::new(inner, Arc::new(self.clone()))
    }
}
