use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::state::Sent;

/// Counts recent requests, about.
#[derive(Debug)]
pub(super) struct Recent {
    epoch: Instant,
    began: AtomicU64,
    last: AtomicU64,
    count: AtomicU32,
}

impl Recent {
    pub(super) fn new(epoch: Instant) -> Self {
        let (began, last, count) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU32::new(0));
        Self { epoch, began, last, count }
    }

    fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_millis() as u64
    }

    /// Two threads at once may lose a count: the number is approximate.
    pub(super) fn count(&self, at: Instant) {
        let at = self.millis(at);
        let (began, last) = (self.began.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        if at.saturating_sub(last) > GAP {
            self.began.store(at, Ordering::Relaxed);
            self.count.store(0, Ordering::Relaxed);
        } else if at.saturating_sub(began) > LOOK_BACK {
            // Assume that half of the requests were sent in the second half of the time.
            self.began.store(at - LOOK_BACK / 2, Ordering::Relaxed);
            self.count.store(self.count.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
        }
        self.last.store(at, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// The time between two requests, about.
    pub(super) fn interval(&self) -> Option<Duration> {
        let (began, last) = (self.began.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        let requests = u64::from(self.count.load(Ordering::Relaxed));
        Sent { requests, over: Duration::from_millis(last.saturating_sub(began)) }.interval()
    }

    /// Returns what was sent until now, without the refused request, and resets the count.
    pub(super) fn take(&self, now: Instant) -> Sent {
        let at = self.millis(now);
        let began = self.began.swap(at, Ordering::Relaxed);
        let requests = u64::from(self.count.swap(0, Ordering::Relaxed)).saturating_sub(1);
        Sent { requests, over: Duration::from_millis(at.saturating_sub(began)) }
    }
}

/// After so many milliseconds without a request, the next begins another burst.
const GAP: u64 = 5_000;
/// How many milliseconds back requests are counted.
const LOOK_BACK: u64 = 60_000;
