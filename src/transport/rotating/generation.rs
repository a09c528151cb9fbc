use std::time::{Duration, Instant};

use crate::rt::{self, Rng};
use crate::terms::ReplaceCause;

/// The age of the present client, and its failed connections.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    expires: Option<Instant>,
    failures_in_a_row: u32,
}

impl Generation {
    pub(super) fn first(life: Option<Duration>, now: Instant, rng: &Rng) -> Self {
        Self { number: 0, expires: until(life, now, rng), failures_in_a_row: 0 }
    }

    /// Why it should be replaced, if it should.
    pub(super) fn is_over(&self, max_failures: u32, now: Instant) -> Option<ReplaceCause> {
        if self.failures_in_a_row >= max_failures {
            return Some(ReplaceCause::Failures);
        }
        self.expires.is_some_and(|expires| now >= expires).then_some(ReplaceCause::Age)
    }

    /// Another client took over.
    pub(super) fn replaced(&mut self, life: Option<Duration>, now: Instant, rng: &Rng) {
        *self = Self { number: self.number + 1, ..Self::first(life, now, rng) };
    }

    /// A new client could not be made: the present one is kept for a while.
    pub(super) fn kept(&mut self, life: Option<Duration>, now: Instant, rng: &Rng) {
        self.failures_in_a_row = 0;
        self.expires = until(life.map(|life| life / 10), now, rng);
    }

    /// Records the result of a call by client `number`. Results of an older client are ignored.
    pub(super) fn record(&mut self, number: u64, connected: bool) {
        if number == self.number {
            self.failures_in_a_row = if connected { 0 } else { self.failures_in_a_row + 1 };
        }
    }
}

fn until(life: Option<Duration>, now: Instant, rng: &Rng) -> Option<Instant> {
    Some(rt::after(now, rng.about(life?)))
}
