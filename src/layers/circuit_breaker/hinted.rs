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

    /// The next call that tries an open breaker.
    fn probe(&mut self, outcome: AttemptOutcome) {
        self.now += Duration::from_secs(1);
        let (decision, _) = self.breaker.admit(CallSafety::Safe, self.now, &self.rng);
        let Decision::Admitted(admission) = decision else { panic!("refused: {decision:?}") };
        let _ = self.breaker.record(admission, outcome, self.now, &self.rng);
    }

    /// Until the next of calls that come at random, so many a second.
    fn waits(&mut self, a_second: f64) {
        let pause = -(1.0 - self.rng.fraction()).ln() / a_second;
        self.now += Duration::from_secs_f64(pause);
    }

    /// Each call takes 300 ms.
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
fn one_that_a_hint_helped_to_open_tells_others_only_when_its_own_failures_are_enough() {
    let mut world = World::new();
    world.hint(Duration::from_secs(6));
    while world.call(FAILED) == BreakerState::Closed {}
    for failed in 3..10 {
        assert!(!world.breaker.has_found_outage(world.now), "after {failed}");
        world.probe(FAILED);
    }
    assert!(world.breaker.has_found_outage(world.now));
    world.probe(AttemptOutcome::Success);
    assert!(!world.breaker.has_found_outage(world.now));

    let mut alone = World::new();
    while alone.call(FAILED) == BreakerState::Closed {}
    assert!(alone.breaker.has_found_outage(alone.now));
}

#[test]
fn one_that_nobody_calls_any_more_tells_nothing_until_a_probe_fails() {
    let mut world = World::new();
    while world.call(FAILED) == BreakerState::Closed {}
    assert!(world.breaker.has_found_outage(world.now + Duration::from_secs(14)));
    world.now += Duration::from_secs(16);
    assert!(!world.breaker.has_found_outage(world.now));
    assert_ne!(world.breaker.state(world.now), BreakerState::Closed);
    world.probe(FAILED);
    assert!(world.breaker.has_found_outage(world.now));
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

/// The time until calls that come at random, so many a second, open a breaker after nothing answers any more: the
/// median of many outages. A hint comes after 4.5 s, if it does.
fn time_to_open(a_second: f64, is_hinted: bool) -> Duration {
    let mut took: Vec<_> = (0..200)
        .map(|seed| {
            let mut world = World { rng: Rng::seeded(seed), ..World::new() };
            let (began, hinted_at) = (world.now, world.now + Duration::from_millis(4_500));
            loop {
                world.waits(a_second);
                if is_hinted && world.now >= hinted_at {
                    world.hint(Duration::from_secs(6));
                }
                if world.call(FAILED) != BreakerState::Closed {
                    return world.now - began;
                }
            }
        })
        .collect();
    took.sort_unstable();
    took[took.len() / 2]
}

/// How often a breaker opens in so many calls of which a hundredth fails, if a hint is told every two seconds.
fn false_openings(calls: u32) -> u32 {
    let (mut world, mut openings) = (World { rng: Rng::seeded(1), ..World::new() }, 0);
    let mut hinted_at = world.now;
    for _ in 0..calls {
        world.waits(5.0);
        if world.now >= hinted_at {
            world.hint(Duration::from_secs(6));
            hinted_at = world.now + Duration::from_secs(2);
        }
        let has_failed = world.rng.fraction() < 0.01;
        let outcome = if has_failed { FAILED } else { AttemptOutcome::Success };
        if world.call(outcome) != BreakerState::Closed {
            openings += 1;
            world = World { rng: world.rng, ..World::new() };
            hinted_at = world.now;
        }
    }
    openings
}

/// `cargo test --features fleet --lib hinted -- --nocapture`
#[test]
fn one_with_few_calls_opens_in_a_third_of_the_time_and_a_wrong_hint_opens_nothing_that_works() {
    for a_second in [0.2, 1.0, 10.0] {
        let (alone, hinted) = (time_to_open(a_second, false), time_to_open(a_second, true));
        println!("{a_second} calls a second: opens after {alone:?} alone, {hinted:?} with a hint");
        assert!(hinted <= alone);
        assert!(a_second > 0.5 || hinted < alone / 2);
    }
    assert_eq!(false_openings(100_000), 0);
}
