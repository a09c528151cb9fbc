use std::time::{Duration, Instant};

use crate::rate_limit::RequestCounts;

/// How many requests a second calls ask for. It is pure: the time is an argument.
#[derive(Debug)]
pub(super) struct Demand {
    counts: RequestCounts,
    at: Instant,
    a_second: f64,
}

impl Demand {
    pub(super) fn new(counts: RequestCounts, now: Instant) -> Self {
        Self { counts, at: now, a_second: 0.0 }
    }

    /// Looks at the counts again. Calls that wait ought to be gone within `within`.
    pub(super) fn observe(&mut self, counts: RequestCounts, within: Duration, now: Instant) {
        let over = now.saturating_duration_since(self.at).as_secs_f64();
        if over <= 0.0 {
            return;
        }
        let all = |counts: RequestCounts| counts.done.saturating_add(counts.waiting.into());
        let came = all(counts).saturating_sub(all(self.counts)) as f64;
        let seen = came / over + f64::from(counts.waiting) / within.as_secs_f64();
        // One request after a while proves no rise, and one that is missing proves no fall.
        let proof = seen.max(self.a_second) * over;
        let part = BELIEVED * proof / (proof + DOUBT);
        self.a_second += (seen - self.a_second) * part;
        (self.counts, self.at) = (counts, now);
    }

    pub(super) fn a_second(&self) -> f64 {
        self.a_second
    }
}

/// How much of a change is believed at once, at most: counts of one moment vary by themselves.
const BELIEVED: f64 = 0.8;
/// A change that is seen by so many requests is half believed.
const DOUBT: f64 = 3.0;
