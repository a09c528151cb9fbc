use std::sync::Arc;

use super::state::Places;

/// Reads how many places of a bulkhead are taken.
#[derive(Clone, Debug)]
pub struct BulkheadHandle(Option<Arc<Places>>);

impl BulkheadHandle {
    pub(super) fn new(places: Option<Arc<Places>>) -> Self {
        Self(places)
    }

    /// How many calls may be under way; `None` without a bound.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        self.0.as_ref().map(|places| places.limit())
    }

    /// How many calls are under way; 0 without a bound, because nobody counts.
    #[must_use]
    pub fn in_use(&self) -> u32 {
        self.0.as_ref().map_or(0, |places| places.in_use())
    }

    /// How many calls wait for a place.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.0.as_ref().map_or(0, |places| places.waiting())
    }
}
