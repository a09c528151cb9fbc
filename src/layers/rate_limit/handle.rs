use std::time::Duration;

use super::layer::RateLimitLayer;
use super::state::Schedule;
use crate::event::Event;

/// Reads a rate limit, and stops everybody for a while.
#[derive(Clone, Debug)]
pub struct RateLimitHandle(RateLimitLayer);

impl RateLimitHandle {
    pub(super) fn new(layer: RateLimitLayer) -> Self {
        Self(layer)
    }

    /// How many calls wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.0.limiter.waiting()
    }

    /// How many calls were let through and aren't answered yet; 0 where that is not bounded.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.0.limiter.under_way()
    }

    /// How many calls were refused here since it was made.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.0.limiter.rejected()
    }

    /// The time between two requests where they come without end; `None` where nothing limits them.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        self.0.limiter.read(Schedule::interval)
    }

    /// For how long everybody is stopped yet.
    #[must_use]
    pub fn paused_for(&self) -> Option<Duration> {
        self.0.limiter.read(Schedule::paused_for)
    }

    /// Stops everybody for at least so long.
    pub fn pause(&self, pause: Duration) {
        self.0.limiter.pause(pause);
        self.0.tell(|| Event::RateLimitPaused { pause });
    }

    /// Ends a pause, and forgets what was learned of the provider's limits.
    pub fn forget(&self) {
        let (_, changed) = self.0.limiter.change(Schedule::forget);
        if let Some(interval) = changed {
            self.0.tell(|| Event::RateLimitChanged { interval });
        }
    }
}
