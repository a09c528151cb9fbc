use std::time::{Duration, Instant};

use crate::rt;

/// How those go who were held: a few at a time, and more each second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    began: Instant,
    in_flight: u32,
}

impl Release {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, in_flight: 0 }
    }

    /// Whether one more may go, which is counted then.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let may = self.in_flight < self.most(now);
        self.in_flight += u32::from(may);
        may
    }

    /// One of them is over.
    pub(super) fn give_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Nobody will tell when those are over that are under way.
    pub(super) fn lose_track(&mut self) {
        self.in_flight = 0;
    }

    /// How many may be under way: one, and twice as many each second.
    fn most(&self, now: Instant) -> u32 {
        1 << self.seconds(now).min(MOST_DOUBLINGS)
    }

    /// When there may be more of them.
    pub(super) fn next_step(&self, now: Instant) -> Instant {
        rt::after(self.began, Duration::from_secs(self.seconds(now) + 1))
    }

    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs()
    }
}

/// 1,024 under way keep every bulkhead busy that holds jobs.
const MOST_DOUBLINGS: u64 = 10;
