use std::time::{Duration, Instant};

use crate::rt;

/// Limits how many released calls are in flight: few at first, and more each second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    began: Instant,
    in_flight: u32,
}

impl Release {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, in_flight: 0 }
    }

    /// Counts one more call in flight, if the limit allows it.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let may = self.in_flight < self.limit(now);
        self.in_flight += u32::from(may);
        may
    }

    /// One of them has ended.
    pub(super) fn give_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The ends of the calls in flight will not be recorded.
    pub(super) fn forget_in_flight(&mut self) {
        self.in_flight = 0;
    }

    /// How many may be in flight: one, and twice as many each second.
    fn limit(&self, now: Instant) -> u32 {
        1 << self.seconds(now).min(MAX_DOUBLINGS)
    }

    /// When the limit doubles next.
    pub(super) fn next_step(&self, now: Instant) -> Instant {
        rt::after(self.began, Duration::from_secs(self.seconds(now) + 1))
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs()
    }
}

/// 1,024 calls in flight are more than a bulkhead for jobs allows.
const MAX_DOUBLINGS: u64 = 10;
