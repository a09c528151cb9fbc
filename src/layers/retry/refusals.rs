use std::sync::atomic::{AtomicU32, Ordering};

use crate::terms::Class;

/// Counts the requests that the provider refused to process since it last answered one.
#[derive(Debug, Default)]
pub(super) struct Refusals(AtomicU32);

impl Refusals {
    /// Records an attempt's result. Returns whether the provider answers other requests.
    pub(super) fn record(&self, class: Class) -> bool {
        if class.is_moved() {
            return self.0.fetch_add(1, Ordering::Relaxed) < MAX_REFUSALS;
        }
        // The count mostly is zero, and many threads can read it at once.
        if class.is_verdict() && self.0.load(Ordering::Relaxed) > 0 {
            self.0.store(0, Ordering::Relaxed);
        }
        true
    }
}

/// More than are usually lost when a server closes its connections. A server that refuses so many
/// without an answer in between refuses all.
const MAX_REFUSALS: u32 = 10;
