//! Delays: what a simple model says they are, for any setting.

mod layer;
mod model;
mod properties;
mod spread;

use std::time::Duration;

use outrigger::Ratio;
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

const AROUND: Jitter = Jitter::scale(Ratio::percent(50), Ratio::percent(150));
const UPWARDS: Jitter = Jitter::scale(Ratio::ONE, Ratio::percent(130));
const ALL: [Jitter; 6] =
    [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, AROUND, UPWARDS, Jitter::None];
const SPREADING: [Jitter; 5] = [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, AROUND, UPWARDS];
