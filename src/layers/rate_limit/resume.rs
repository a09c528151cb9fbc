use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::rt;

/// The way back after a pause: who waited for its end goes at a pace, and not all at once.
///
/// They are spread over half as long again as they were stopped, as the retry of one call is, but go
/// no slower than calls went before, and never slower than [`SLOWEST`]. Who is left after that goes
/// twice as fast each second. It is over with the first who finds nobody else waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    stopped_until: Instant,
    spread: Duration,
    /// From one call to the next, as they went before.
    before: Option<Duration>,
    pace: Option<Pace>,
    /// When the pace doubles.
    faster_at: Instant,
}

impl Resume {
    pub(super) fn after(pause: Duration, until: Instant, before: Option<Duration>) -> Self {
        Self { stopped_until: until, spread: pause / 2, before, pace: None, faster_at: until }
    }

    /// Another pause while one is there: the longer one counts, and what went before both.
    pub(super) fn and(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let before = earlier.before.into_iter().chain(self.before).min();
        match self.stopped_until > earlier.stopped_until {
            true => Self { before, ..self },
            false => Self { before, ..earlier },
        }
    }

    /// The pause ends then, and not when it was to end.
    pub(super) fn ending(self, at: Instant) -> Self {
        Self { stopped_until: self.stopped_until.min(at), ..self }
    }

    /// When the next may go.
    pub(super) fn ready_at(&self) -> Instant {
        self.pace.map_or(self.stopped_until, |pace| pace.ready_at())
    }

    /// From one call to the next, where so many wait.
    pub(super) fn interval(&self, waiting: u32) -> Duration {
        let even = self.spread / waiting.max(1);
        self.pace
            .map_or(even, |pace| pace.interval)
            .min(self.before.unwrap_or(SLOWEST))
            .min(SLOWEST)
    }

    /// One goes, with so many behind it; whether that goes on.
    pub(super) fn take(&mut self, behind: u32, now: Instant) -> bool {
        if now < self.stopped_until {
            // Another's resource is paused.
            return true;
        }
        if behind == 0 {
            return false;
        }
        let interval = self.interval(behind.saturating_add(1));
        let pace = self.pace.get_or_insert_with(|| {
            self.faster_at = rt::after(now, self.spread);
            Pace::new(interval, Duration::ZERO, now)
        });
        if now >= self.faster_at {
            self.faster_at = rt::after(now, Duration::from_secs(1));
            pace.change(pace.interval / 2, Duration::ZERO, now);
        }
        pace.take(true, now);
        true
    }
}

/// Ten a second are no burst, whoever limits them.
const SLOWEST: Duration = Duration::from_millis(100);
