use std::sync::Arc;

use http::Uri;

use super::key::{normalised, origin_of};
use super::shared::Shared;
use crate::control::CacheHealth;
use crate::terms::CacheOutcome;

/// Reads a cache's counts, and drops what it has stored. Clones are of the same cache.
#[derive(Clone, Debug)]
pub struct CacheHandle(Arc<Shared>);

impl CacheHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// How many calls had this outcome.
    #[must_use]
    pub fn count(&self, outcome: CacheOutcome) -> u64 {
        self.0.counted(outcome)
    }

    /// How many keys are stored.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.0.size().0
    }

    /// About how many bytes they take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.size().1
    }

    pub(crate) fn health(&self) -> CacheHealth {
        use CacheOutcome::{Collapsed, Hit, Miss, Revalidated};
        let (keys, bytes) = self.0.size();
        let sum = |of: &[CacheOutcome]| of.iter().map(|outcome| self.count(*outcome)).sum();
        let stale: Vec<_> = CacheOutcome::ALL.into_iter().filter(|it| it.is_stale()).collect();
        let (hits, stale, misses) =
            (sum(&[Hit]), sum(&stale), sum(&[Miss, Revalidated, Collapsed]));
        let failing = self.0.failing() as u64;
        CacheHealth { keys: keys as u64, bytes, hits, stale, misses, failing }
    }

    /// Drops what is stored for a URI, of all partitions, and the answers of the groups that it is in. What
    /// is being fetched for it isn't stored.
    pub fn invalidate(&self, uri: &Uri) {
        self.0.invalidate(&normalised(uri, None));
    }

    /// Drops the answers in a group of the origin that this URI has, of all partitions: those whose
    /// `Cache-Groups` names it (RFC 9875). What is being fetched meanwhile isn't stored if it is in a group.
    pub fn invalidate_group(&self, uri: &Uri, group: &str) {
        self.0.invalidate_group(origin_of(&normalised(uri, None)), group);
    }

    /// Drops what is stored for URIs that begin so, as they are written without a default port:
    /// `https://api.example/v1/rates/`.
    pub fn invalidate_prefix(&self, prefix: &str) {
        self.0.invalidate_where(|known| known.starts_with(prefix));
    }

    /// Drops all that is stored.
    pub fn clear(&self) {
        self.0.invalidate_where(|_| true);
    }
}
