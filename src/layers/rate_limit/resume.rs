use std::time::{Duration, Instant};

use super::gcra::Gcra;
use crate::rt;

/// Spreads the calls that waited for the end of a pause, so that they don't all go at once.
///
/// They are spread over half of the pause's length, as retries are, but go no slower than calls went
/// before, and never slower than [`MAX_INTERVAL`]. After that, the rate doubles each second. It ends
/// with the first call that has no other behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    stopped_until: Instant,
    spread: Duration,
    /// The time between two calls before the pause.
    before: Option<Duration>,
    gcra: Option<Gcra>,
    /// When the rate doubles.
    faster_at: Instant,
}

impl Resume {
    pub(super) fn after(pause: Duration, until: Instant, before: Option<Duration>) -> Self {
        Self { stopped_until: until, spread: pause / 2, before, gcra: None, faster_at: until }
    }

    /// Merges two pauses: the later end counts, and the higher rate before them.
    pub(super) fn merge(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let before = earlier.before.into_iter().chain(self.before).min();
        match self.stopped_until > earlier.stopped_until {
            true => Self { before, ..self },
            false => Self { before, ..earlier },
        }
    }

    /// Ends the pause at `at`, if that is earlier.
    pub(super) fn ending_by(self, at: Instant) -> Self {
        Self { stopped_until: self.stopped_until.min(at), ..self }
    }

    /// When the next call may go.
    pub(super) fn ready_at(&self) -> Instant {
        self.gcra.map_or(self.stopped_until, |gcra| gcra.ready_at())
    }

    /// The time between two calls, if `waiting` calls wait.
    pub(super) fn interval(&self, waiting: u32) -> Duration {
        let even = self.spread / waiting.max(1);
        self.gcra
            .map_or(even, |gcra| gcra.interval)
            .min(self.before.unwrap_or(MAX_INTERVAL))
            .min(MAX_INTERVAL)
    }

    /// A call goes, with `behind` calls behind it; false if that was the last.
    pub(super) fn take(&mut self, behind: u32, now: Instant) -> bool {
        if now < self.stopped_until {
            // It goes to a resource that isn't paused.
            return true;
        }
        if behind == 0 {
            return false;
        }
        let interval = self.interval(behind.saturating_add(1));
        let gcra = self.gcra.get_or_insert_with(|| {
            self.faster_at = rt::after(now, self.spread);
            Gcra::new(interval, Duration::ZERO, now)
        });
        if now >= self.faster_at {
            self.faster_at = rt::after(now, Duration::from_secs(1));
            gcra.change(gcra.interval / 2, Duration::ZERO, now);
        }
        gcra.take(true, now);
        true
    }
}

/// Ten requests a second are no burst for any provider.
const MAX_INTERVAL: Duration = Duration::from_millis(100);
