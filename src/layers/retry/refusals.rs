use std::sync::atomic::{AtomicU32, Ordering};

use crate::terms::Class;

/// Requests that the provider refused to process since it last answered one.
#[derive(Debug, Default)]
pub(super) struct Refusals(AtomicU32);

impl Refusals {
    /// Notes what an attempt came to; whether the provider answers others.
    pub(super) fn note(&self, class: Class) -> bool {
        if class.is_moved() {
            return self.0.fetch_add(1, Ordering::Relaxed) < MANY;
        }
        // Mostly there are none, and reading is cheaper where many do.
        if class.is_verdict() && self.0.load(Ordering::Relaxed) > 0 {
            self.0.store(0, Ordering::Relaxed);
        }
        true
    }
}

/// As many as may be on a connection that a server ends, together with those that find another one
/// ended: a server that refuses so many without an answer in between refuses everybody.
const MANY: u32 = 10;
