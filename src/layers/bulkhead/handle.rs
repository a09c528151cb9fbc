use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::config::{BulkheadConfig, PermitsConfig};
use super::limit::Priority;
use super::permits::Permits;

/// Reads how many permits of a bulkhead are taken.
///
/// If a [`Limit`](super::Limit) is shared, the figures are of all that share it.
#[derive(Clone, Debug)]
pub struct BulkheadHandle {
    permits: Arc<Permits>,
    queue_wait: QueueWait,
    is_shared: bool,
}

/// How long a call may wait for a permit; clones are of one setting.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueWait(Arc<Mutex<Option<Duration>>>);

impl BulkheadHandle {
    pub(super) fn new(permits: Arc<Permits>, queue_wait: QueueWait, is_shared: bool) -> Self {
        Self { permits, queue_wait, is_shared }
    }

    /// How many calls may be in flight; `None` without a bound.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.permits.limit()
    }

    /// How many of the permits are for high priority only.
    #[must_use]
    pub fn reserved(&self) -> u32 {
        self.permits.reserved()
    }

    /// How many calls are in flight; 0 without a bound, because they aren't counted.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.permits.in_use()
    }

    /// How many calls wait for a permit just now, of both priorities.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.permits.waiting()
    }

    /// How many calls of this priority wait for a permit.
    #[must_use]
    pub fn waiting_of(&self, priority: Priority) -> u32 {
        self.permits.waiting_of(priority)
    }

    /// What the bulkhead is set to.
    pub(crate) fn config(&self) -> BulkheadConfig {
        let PermitsConfig { concurrency, queue, adaptive, .. } = self.permits.config();
        BulkheadConfig { concurrency, queue, queue_wait: self.queue_wait.get(), adaptive }
    }

    /// Applies other settings while calls run.
    ///
    /// Calls in flight keep their permits, and waiting calls stay in the queue, each for as long as it
    /// was allowed to when it came. If the limit is shared, only the wait is set.
    pub(crate) fn reconfigure(&self, config: &BulkheadConfig) {
        let BulkheadConfig { concurrency, queue, queue_wait, adaptive } = config.clone();
        self.queue_wait.set(queue_wait);
        if !self.is_shared {
            let reserve = self.permits.config().reserve;
            self.permits.reconfigure(PermitsConfig { concurrency, queue, reserve, adaptive });
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

    /// A copy that is not shared.
    pub(super) fn unshared(&self) -> Self {
        Self::new(self.get())
    }

    fn set(&self, limit: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = limit;
    }
}
