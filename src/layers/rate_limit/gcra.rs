use std::time::{Duration, Instant};

use crate::rt;

/// One request an interval, with a burst tolerance.
///
/// The generic cell rate algorithm (ITU-T I.371). It keeps the time at which the next request would
/// be due if all were evenly spaced, and how far ahead of that time a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gcra {
    pub(super) interval: Duration,
    pub(super) burst_tolerance: Duration,
    lateness: Duration,
    due: Instant,
}

impl Gcra {
    pub(super) fn new(interval: Duration, burst_tolerance: Duration, now: Instant) -> Self {
        Self { interval, burst_tolerance, lateness: TIMER_LATENESS, due: now }
    }

    /// When the next request may go.
    pub(super) fn ready_at(&self) -> Instant {
        self.due.checked_sub(self.burst_tolerance).unwrap_or(self.due)
    }

    /// No request could go before `at`, so the time until then doesn't count as lateness.
    pub(super) fn hold(&mut self, at: Instant) {
        self.due = self.due.max(at);
    }

    /// A request goes out. `contended`: others are waiting, or were refused.
    pub(super) fn take(&mut self, contended: bool, now: Instant) {
        // If a timer fires late, the next request is not late too, up to `lateness`. But an idle time
        // saves up no requests.
        let late = now.saturating_duration_since(self.due);
        let from = match now.checked_sub(self.lateness) {
            _ if late <= self.lateness => self.due,
            Some(made_up) if contended => made_up,
            _ => now,
        };
        self.due = rt::after(from, self.interval);
    }

    /// How late a request may be without delaying the next one.
    pub(super) fn with_lateness(mut self, lateness: Duration) -> Self {
        self.lateness = lateness.max(TIMER_LATENESS);
        self
    }

    /// Applies another rate. The next request waits for no more than one of its intervals.
    pub(super) fn change(&mut self, interval: Duration, burst_tolerance: Duration, now: Instant) {
        if (interval, burst_tolerance) != (self.interval, self.burst_tolerance) {
            (self.interval, self.burst_tolerance) = (interval, burst_tolerance);
            self.due = self.due.min(rt::after(now, interval.saturating_add(burst_tolerance)));
        }
    }
}

/// How late a timer fires on a loaded machine.
const TIMER_LATENESS: Duration = Duration::from_millis(10);
