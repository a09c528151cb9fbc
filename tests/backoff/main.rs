//! Delays: what a simple model says they are, for any setting.

mod layer;
mod model;
mod properties;
mod spread;

use std::time::Duration;

use outrigger::backoff::{Backoff, Jitter};
use outrigger::rt::Rng;

/// The delays of one request's retries, each given the one before.
fn delays(backoff: &Backoff, retries: u32, rng: &Rng) -> Vec<Duration> {
    let mut previous = Duration::ZERO;
    let next = |retry| {
        previous = backoff.delay(retry, previous, rng);
        previous
    };
    (1..=retries).map(next).collect()
}

const ALL: [Jitter; 4] = [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::None];
const SPREADING: [Jitter; 3] = [Jitter::Full, Jitter::Equal, Jitter::Decorrelated];
