//! What a queue of calls has to know of the integration that it delivers through.

use std::time::Duration;

use http::Uri;

use super::handle::Integration;
use crate::kill_switch::KillSwitchHandle;
use crate::outcome::SharedClassifier;
use crate::terms::{BreakerState, SwitchMode};

/// How many calls it can take at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// None, perhaps until so much time has passed.
    None { wait: Option<Duration> },
    /// This many more than it has, and under a rate so much time from one to the next.
    Some { places: usize, interval: Option<Duration> },
    /// One in all, to find out whether the provider answers again.
    OneInAll,
}

impl Integration {
    pub(crate) fn classifier(&self) -> &SharedClassifier {
        &self.shared.classifier
    }

    /// How long the provider knows a key, if it honours it: a generated one, or one that a caller brings.
    pub(crate) fn key_lifetime(&self, from_caller: bool) -> Option<Duration> {
        self.shared.live.slots().idempotency.settings().profile.known_lifetime(from_caller)
    }

    /// Where a reference in an answer leads. `None` if it is no URI, or requests may not go there.
    pub(crate) fn resolve(&self, sent: &Uri, reference: &str) -> Option<Uri> {
        self.shared.endpoint.resolve(sent, reference)
    }

    /// What a call would wait for if it were made now, while `running` calls of the queue are under way.
    pub(crate) fn places(&self, running: usize) -> Places {
        if is_stopped(&self.kill_switch()) {
            return Places::None { wait: None };
        }
        let rate = self.rate_limit();
        if let Some(wait) = rate.paused_for() {
            return Places::None { wait: Some(wait) };
        }
        if rate.waiting() > 0 {
            return Places::None { wait: rate.interval() };
        }
        if self.breaker().state() != BreakerState::Closed {
            return Places::OneInAll;
        }
        let bulkhead = self.bulkhead();
        // Of those under way, some may not have got to their places yet.
        let taken = bulkhead.in_use().max(u32::try_from(running).unwrap_or(u32::MAX));
        let free = bulkhead.limit().map(|limit| limit.saturating_sub(taken));
        let interval = rate.interval();
        let turns = interval.map(|interval| {
            let turns = LONGEST_TURN.as_nanos() / interval.as_nanos().max(1);
            u32::try_from(turns).unwrap_or(u32::MAX).max(1)
        });
        let places = free.into_iter().chain(turns).min();
        let places = places.and_then(|places| usize::try_from(places).ok()).unwrap_or(usize::MAX);
        Places::Some { places, interval }
    }
}

fn is_stopped(switch: &KillSwitchHandle) -> bool {
    !matches!(switch.mode(), SwitchMode::On | SwitchMode::NoRetries)
}

/// How long a call may wait for its turn under the rate, once it is claimed.
const LONGEST_TURN: Duration = Duration::from_millis(100);
