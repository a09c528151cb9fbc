use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::config::{BulkheadConfig, PlacesConfig};
use super::limit::Priority;
use super::places::Places;

/// Reads how many places of a bulkhead are taken.
///
/// Where a [`Limit`](super::Limit) is shared, the figures are of all who share it.
#[derive(Clone, Debug)]
pub struct BulkheadHandle {
    places: Arc<Places>,
    queue_wait: QueueWait,
    is_shared: bool,
}

/// How long a call may wait for a place; clones are of one setting.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueWait(Arc<Mutex<Option<Duration>>>);

impl BulkheadHandle {
    pub(super) fn new(places: Arc<Places>, queue_wait: QueueWait, is_shared: bool) -> Self {
        Self { places, queue_wait, is_shared }
    }

    /// How many calls may be under way; `None` without a bound.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.places.limit()
    }

    /// How many of the places are for high priority only.
    #[must_use]
    pub fn reserved(&self) -> u32 {
        self.places.reserved()
    }

    /// How many calls are under way; 0 without a bound, because nobody counts.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.places.in_use()
    }

    /// How many calls wait for a place just now, of both priorities.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.places.waiting()
    }

    /// How many calls of this priority wait for a place.
    #[must_use]
    pub fn waiting_of(&self, priority: Priority) -> u32 {
        self.places.waiting_of(priority)
    }

    /// What the bulkhead is set to.
    pub(crate) fn config(&self) -> BulkheadConfig {
        let PlacesConfig { concurrency, queue, adaptive, .. } = self.places.config();
        BulkheadConfig { concurrency, queue, queue_wait: self.queue_wait.get(), adaptive }
    }

    /// Sets the bulkhead anew while it runs.
    ///
    /// Calls that are under way keep their places, and calls that wait stay in the queue, each for as
    /// long as it was allowed to when it came. Of a shared limit only the wait is this bulkhead's to
    /// set.
    pub(crate) fn reconfigure(&self, config: &BulkheadConfig) {
        let BulkheadConfig { concurrency, queue, queue_wait, adaptive } = config.clone();
        self.queue_wait.set(queue_wait);
        if !self.is_shared {
            let reserve = self.places.config().reserve;
            self.places.reconfigure(PlacesConfig { concurrency, queue, reserve, adaptive });
        }
    }
}

// === impl QueueWait ===

impl QueueWait {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self(Arc::new(Mutex::new(limit)))
    }

    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same wait, as a setting of its own.
    pub(super) fn apart(&self) -> Self {
        Self::new(self.get())
    }

    fn set(&self, limit: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }
}
