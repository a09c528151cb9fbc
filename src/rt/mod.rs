//! Everything that is not deterministic: time and chance.
//!
//! No other module reads a clock or draws a number. Both clocks follow tokio's paused time in
//! tests, and chance can be seeded, so a test holds both in its hand.

mod clock;
mod rng;
mod timer;

pub(crate) use clock::{after, now};
pub(crate) use timer::Timer;

pub use clock::Clock;
pub use rng::Rng;
