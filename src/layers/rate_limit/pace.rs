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
    slack: Duration,
    due: Instant,
}

impl Pace {
    pub(super) fn new(interval: Duration, ahead: Duration, now: Instant) -> Self {
        Self { interval, ahead, slack: SLACK, due: now }
    }

    /// When the next request may go.
    pub(super) fn ready_at(&self) -> Instant {
        self.due.checked_sub(self.ahead).unwrap_or(self.due)
    }

    /// Nothing could go before `at`, which made nobody late.
    pub(super) fn hold(&mut self, at: Instant) {
        self.due = self.due.max(at);
    }

    /// A request goes out; `pressed` where others would have liked to.
    pub(super) fn take(&mut self, pressed: bool, now: Instant) {
        // A timer that fired late must not make the next request late too, as far as that can be
        // made up for; but whoever comes after an idle time finds none saved up for them.
        let late = now.saturating_duration_since(self.due);
        let from = match now.checked_sub(self.slack) {
            _ if late <= self.slack => self.due,
            Some(made_up) if pressed => made_up,
            _ => now,
        };
        self.due = rt::after(from, self.interval);
    }

    /// How late a request may be without the next one being late too.
    pub(super) fn with_slack(mut self, slack: Duration) -> Self {
        self.slack = slack.max(SLACK);
        self
    }

    /// Another pace from here on, which owes no more than one of its intervals.
    pub(super) fn change(&mut self, interval: Duration, ahead: Duration, now: Instant) {
        if (interval, ahead) != (self.interval, self.ahead) {
            (self.interval, self.ahead) = (interval, ahead);
            self.due = self.due.min(rt::after(now, interval.saturating_add(ahead)));
        }
    }
}

/// How late a timer may fire on any machine.
const SLACK: Duration = Duration::from_millis(10);
