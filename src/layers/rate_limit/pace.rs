use std::time::{Duration, Instant};

use crate::rt;

/// One request an interval, some of them ahead of their time.
///
/// The generic cell rate algorithm (ITU-T I.371): what is kept is when the next request would be due
/// if all were evenly spaced, and how far ahead of that one may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) ahead: Duration,
    due: Instant,
}

impl Pace {
    pub(super) fn new(interval: Duration, ahead: Duration, now: Instant) -> Self {
        Self { interval, ahead, due: now }
    }

    /// When the next request may go.
    pub(super) fn ready_at(&self) -> Instant {
        self.due.checked_sub(self.ahead).unwrap_or(self.due)
    }

    pub(super) fn take(&mut self, now: Instant) {
        // A timer that fired late must not make the next request late too; but whoever comes after
        // a pause finds no time saved up for them.
        let is_late = now.saturating_duration_since(self.due) <= SLACK;
        let from = if is_late { self.due } else { now };
        self.due = rt::after(from, self.interval);
    }

    /// Another pace from here on, which owes no more than one of its intervals.
    pub(super) fn change(&mut self, interval: Duration, ahead: Duration, now: Instant) {
        if (interval, ahead) != (self.interval, self.ahead) {
            (self.interval, self.ahead) = (interval, ahead);
            self.due = self.due.min(rt::after(now, interval.saturating_add(ahead)));
        }
    }
}

/// How late a timer may fire without the request after it being late too.
const SLACK: Duration = Duration::from_millis(10);
