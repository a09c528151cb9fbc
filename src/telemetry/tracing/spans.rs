use std::fmt;

use super::at::At;
use super::open::Open;
use super::{attempt, call, marks, repeats, waits};
use crate::event::{Event, Origin, Subscriber};

/// Makes a span of each call and of each attempt. See the [module](super).
#[derive(Default)]
pub struct Spans {
    open: Open,
}

impl Spans {
    /// Nothing open yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls have spans that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

impl Subscriber for Spans {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let at = At::new(&self.open, origin);
        // No arm for the rest: what is new must be put somewhere.
        match event {
            Event::CallStarted => call::begin(&at),
            Event::CallFinished { end, attempts, .. } => call::end(&at, end, *attempts),
            Event::AttemptStarted => attempt::begin(&at),
            Event::AttemptAnswered { status, .. } => attempt::answered(&at, *status),
            Event::AttemptFinished { end, .. } => attempt::end(&at, end),
            Event::RetryScheduled { .. }
            | Event::RetryAwaitsBudget { .. }
            | Event::RetryGaveUp { .. }
            | Event::HedgeSent { .. }
            | Event::HedgeSkipped { .. }
            | Event::HedgeFinished { .. }
            | Event::FellBack { .. }
            | Event::FallbackFailed { .. }
            | Event::TimedOut { .. } => repeats::say(&at, event),
            Event::BulkheadQueued
            | Event::BulkheadAdmitted { .. }
            | Event::BulkheadRejected { .. }
            | Event::ConcurrencyChanged { .. }
            | Event::BreakerHeld
            | Event::BreakerReleased { .. }
            | Event::RateLimitQueued { .. }
            | Event::RateLimitReleased { .. }
            | Event::RateLimitRejected { .. }
            | Event::RateLimitPaused { .. }
            | Event::RateLimitChanged { .. } => waits::say(&at, event),
            Event::BreakerChanged { .. }
            | Event::BreakerRejected
            | Event::BreakerWouldReject
            | Event::KillSwitchChanged { .. }
            | Event::KillSwitchRejected { .. }
            | Event::KillSwitchSourceFailed { .. }
            | Event::RehearsalChanged { .. }
            | Event::Rehearsed { .. }
            | Event::SettingsApplied => marks::say(&at, event),
            Event::CorrelationReplaced
            | Event::ConnectionOpened
            | Event::ConnectionClosed { .. }
            | Event::ClientReplaced { .. }
            | Event::Mirrored { .. }
            | Event::MirrorSkipped => marks::say_aside(&at, event),
        }
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").field("open", &self.open()).finish()
    }
}
