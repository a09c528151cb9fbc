use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// A random number generator: the thread's own, or a seeded one for reproducible tests.
///
/// Clones of a seeded generator share one sequence, so that no two draws are the same. (If the
/// generator were copied for each request, every request would get the same jitter.)
#[derive(Clone, Debug, Default)]
pub struct Rng {
    /// The number of the next draw; absent for the thread's generator.
    next: Option<Arc<AtomicU64>>,
}

/// A fraction that was drawn once, so that a spread value keeps its relative place when its range
/// moves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw(f64);

impl Rng {
    /// The thread's cryptographic generator, seeded by the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A generator that draws the same sequence for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        // Draws are numbered from here on. Neighbouring seeds must not have overlapping numbers.
        Self { next: Some(Arc::new(AtomicU64::new(seed.wrapping_mul(GOLDEN_RATIO)))) }
    }

    /// A fraction in `0.0..1.0`.
    pub(crate) fn fraction(&self) -> f64 {
        match &self.next {
            None => system().random(),
            Some(next) => seeded(next).random(),
        }
    }

    /// Draws a fraction to be kept.
    pub(crate) fn draw(&self) -> Draw {
        Draw(self.fraction())
    }

    /// A duration in `from..=to`, to the nanosecond; `from` where `to` is shorter.
    pub(crate) fn between(&self, from: Duration, to: Duration) -> Duration {
        self.draw().between(from, to)
    }

    /// `middle`, plus or minus at most a fifth, so that lifetimes that begin together don't end
    /// together. A duration too long to spread is returned unchanged.
    pub(crate) fn about(&self, middle: Duration) -> Duration {
        self.draw().about(middle)
    }

    /// Sixteen random bytes, for an id.
    pub(crate) fn id_bytes(&self) -> [u8; 16] {
        match &self.next {
            None => system().random(),
            Some(next) => seeded(next).random(),
        }
    }
}

// === impl Draw ===

impl Draw {
    /// As [`Rng::about`], with this fraction.
    pub(crate) fn about(self, middle: Duration) -> Duration {
        let spread = middle / 5;
        self.between(middle - spread, middle.saturating_add(spread))
    }

    fn between(self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from);
        // The longest spans are rounded up by the conversion to a float.
        let part = Duration::try_from_secs_f64(span.as_secs_f64() * self.0);
        from.saturating_add(part.unwrap_or(span)).clamp(from, to.max(from))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the thread's generator is read")]
fn system() -> rand::rngs::ThreadRng {
    rand::rng()
}

/// One generator a draw: `SmallRng` spreads neighbouring seeds over its whole state.
fn seeded(next: &AtomicU64) -> SmallRng {
    SmallRng::seed_from_u64(next.fetch_add(1, Ordering::Relaxed))
}

/// 2⁶⁴ / φ: multiples of it lie far apart (Knuth, *The Art of Computer Programming*, 6.4).
const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_seeded_source_never_draw_the_same_number_twice() {
        let first = Rng::seeded(7);
        let second = first.clone();
        let mut drawn: Vec<_> =
            (0..100).flat_map(|_| [first.id_bytes(), second.id_bytes()]).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 200);
    }

    #[test]
    fn the_same_seed_draws_the_same_sequence() {
        let draw = |seed| {
            let rng = Rng::seeded(seed);
            [rng.fraction(), rng.fraction(), rng.fraction()]
        };
        assert_eq!(draw(42), draw(42));
        assert_ne!(draw(42), draw(43));
    }

    #[test]
    fn neighbouring_seeds_draw_unrelated_sequences() {
        let draw = |seed| {
            let rng = Rng::seeded(seed);
            (0..100).map(|_| rng.id_bytes()).collect::<Vec<_>>()
        };
        let (seven, eight) = (draw(7), draw(8));
        assert!(eight.iter().all(|drawn| !seven.contains(drawn)));
    }

    #[test]
    fn durations_of_any_length_can_be_spread() {
        let rng = Rng::seeded(1);
        for _ in 0..100 {
            let about = rng.about(Duration::from_secs(100));
            assert!((80..=120).contains(&about.as_secs()), "{about:?}");
            assert!(rng.about(Duration::MAX) >= Duration::MAX / 2);
            let _ = rng.between(Duration::ZERO, Duration::MAX);
            let _ = rng.between(Duration::MAX, Duration::MAX);
        }
    }

    #[test]
    fn a_duration_stays_between_its_bounds_even_when_they_are_reversed() {
        let rng = Rng::seeded(1);
        let (low, high) = (Duration::from_millis(5), Duration::from_millis(9));
        assert!((0..1000).all(|_| (low..=high).contains(&rng.between(low, high))));
        assert_eq!(rng.between(high, low), high);
    }
}
