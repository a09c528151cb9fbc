//! What a hint does to a breaker, and what it doesn't.

use std::time::{Duration, Instant};

use super::config::BreakerConfig;
use super::shared::{Decision, SharedBreaker};
use super::state::{Admission, AttemptOutcome, CallSafety, Role};
use crate::rt::{self, Rng};
use crate::terms::BreakerState;

const FAILED: AttemptOutcome = AttemptOutcome::Failure { retry_after: None };
const MILLIS_300: Duration = Duration::from_millis(300);

struct World {
    breaker: SharedBreaker,
    rng: Rng,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = rt::now();
        Self {
            breaker: SharedBreaker::new(BreakerConfig::default(), now),
            rng: Rng::seeded(1),
            now,
        }
    }

    fn hint(&self, lasts: Duration) {
        self.breaker.consecutive.hint(self.now + lasts);
    }

    /// Calls come 300 ms after one another.
    fn call(&mut self, outcome: AttemptOutcome) -> BreakerState {
        let (decision, _) = self.breaker.admit(CallSafety::Safe, self.now, &self.rng);
        let Decision::Admitted(admission) = decision else { panic!("refused: {decision:?}") };
        assert!(matches!(admission, Admission { role: Role::Normal, .. }), "{admission:?}");
        self.now += MILLIS_300;
        let _ = self.breaker.record(admission, outcome, self.now, &self.rng);
        self.breaker.state(self.now)
    }
}

#[test]
fn a_hint_alone_neither_opens_nor_refuses() {
    let mut world = World::new();
    for _ in 0..100 {
        world.hint(Duration::from_secs(6));
        assert_eq!(world.call(AttemptOutcome::Success), BreakerState::Closed);
        assert_eq!(world.call(AttemptOutcome::Neutral), BreakerState::Closed);
    }
}

#[test]
fn with_a_hint_three_failures_of_its_own_open_it_and_without_one_ten() {
    let mut world = World::new();
    world.hint(Duration::from_secs(6));
    assert_eq!([world.call(FAILED), world.call(FAILED)], [BreakerState::Closed; 2]);
    assert_eq!(world.call(FAILED), BreakerState::Open);

    let mut world = World::new();
    assert!((0..9).all(|_| world.call(FAILED) == BreakerState::Closed));
    assert_eq!(world.call(FAILED), BreakerState::Open);
}

#[test]
fn a_hint_that_comes_after_failures_opens_it_only_with_the_next_one() {
    let mut world = World::new();
    assert!((0..5).all(|_| world.call(FAILED) == BreakerState::Closed));
    world.hint(Duration::from_secs(6));
    assert_eq!(world.breaker.state(world.now), BreakerState::Closed);
    assert_eq!(world.call(FAILED), BreakerState::Open);
}

#[test]
fn a_success_of_its_own_erases_a_hint() {
    let mut world = World::new();
    world.hint(Duration::from_secs(600));
    assert_eq!(world.call(AttemptOutcome::Success), BreakerState::Closed);
    assert!(!world.breaker.consecutive.is_hinted(world.now));
    assert!((0..9).all(|_| world.call(FAILED) == BreakerState::Closed));
}

#[test]
fn a_hint_that_is_not_told_again_is_forgotten() {
    let mut world = World::new();
    world.hint(Duration::from_secs(1));
    world.now += Duration::from_secs(2);
    assert!((0..9).all(|_| world.call(FAILED) == BreakerState::Closed));
}

#[test]
fn failures_of_one_moment_are_no_outage_even_with_a_hint() {
    let mut world = World::new();
    world.hint(Duration::from_secs(6));
    let sent = world.now;
    for _ in 0..9 {
        world.now = sent;
        assert_eq!(world.call(FAILED), BreakerState::Closed);
    }
}
