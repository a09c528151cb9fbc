use std::sync::atomic::{AtomicU64, Ordering};

use crate::pattern::ownership::Ownership;

/// Counts second requests.
#[derive(Debug, Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    won: AtomicU64,
    skipped: AtomicU64,
    pub(super) ownership: Ownership,
}

impl Counters {
    pub(super) fn count_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_won(&self) {
        self.won.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> [u64; 3] {
        [&self.sent, &self.won, &self.skipped].map(|count| count.load(Ordering::Relaxed))
    }
}
