use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::test_runner::TestCaseError;

use super::*;
use crate::local_copy::LoadError;
use crate::rt;
use crate::terms::local_copy::LoadFailure;

const EVERY: Duration = Duration::from_secs(60);
const MAX_AGE: Duration = Duration::from_secs(300);

/// A machine and its clocks.
struct Bench {
    machine: Machine<u32>,
    now: Moments,
    rng: Rng,
}

impl Bench {
    fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let now = Moments { monotonic: rt::now(), wall };
        let times = Times { every: EVERY, max_age: Some(MAX_AGE) };
        Self { machine: Machine::new(times, now), now, rng: Rng::seeded(7) }
    }

    fn pass(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        (self.now.monotonic, self.now.wall) = (self.now.monotonic + time, self.now.wall + time);
    }

    fn load(&mut self, new: Option<u32>) -> Option<u32> {
        let began = self.now;
        self.machine.begin();
        self.machine.loaded(new.map(|value| (value, 1)), began, self.now, &self.rng)
    }

    fn fail(&mut self, failure: LoadFailure) -> Duration {
        self.machine.begin();
        self.machine.failed(Problem::new(failure, "down"), self.now, &self.rng)
    }

    fn refuse(&mut self, count: u64) {
        self.machine.begin();
        let problem = Problem::refused(LoadError::new("too few"), Refused { count, version: None });
        self.machine.failed(problem, self.now, &self.rng);
    }

    fn accept(&mut self) -> bool {
        self.machine.accept("ada", "it is right", self.now)
    }

    /// How many entries what is accepted has.
    fn accepted(&self) -> Option<u64> {
        Some(self.machine.accepted(self.now)?.what.count)
    }

    fn state(&self) -> CopyState {
        self.machine.state(self.now)
    }
}

#[test]
fn a_copy_ages_from_current_to_late_to_expired_and_is_current_after_a_load() {
    let mut bench = Bench::new();
    assert_eq!(bench.state(), CopyState::Empty);
    assert_eq!(bench.load(Some(1)), None);
    for (seconds, state, worsens_in) in [
        (0, CopyState::Current, Some(120)),
        (119, CopyState::Current, Some(1)),
        (1, CopyState::Late, Some(180)),
        (179, CopyState::Late, Some(1)),
        (1, CopyState::Expired, None),
    ] {
        bench.pass(seconds);
        assert_eq!(bench.state(), state);
        let worsens_in = worsens_in.map(Duration::from_secs);
        assert_eq!(bench.machine.worsens_in(bench.now), worsens_in);
    }
    bench.pass(40);
    let seen = bench.machine.seen(bench.now).unwrap();
    let since = bench.machine.expired_since(&seen, bench.now);
    assert_eq!(bench.now.wall.duration_since(since).unwrap(), Duration::from_secs(40));
    assert_eq!(bench.load(Some(2)), Some(1), "the old one is given back");
    assert_eq!(bench.state(), CopyState::Current);
}

#[test]
fn each_way_down_is_told_once_and_anew_after_a_load() {
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.load(Some(1));
        let mut told = Vec::new();
        for _ in 0..400 {
            bench.pass(1);
            told.extend(bench.machine.worsened(bench.now));
        }
        assert_eq!(told, [CopyState::Late, CopyState::Expired]);
    }
}

#[test]
fn a_snapshot_is_as_old_as_it_is_and_no_longer_one_after_a_load() {
    let mut bench = Bench::new();
    let earlier = bench.now.wall - Duration::from_secs(130);
    bench.machine.restore(1, 1, earlier, bench.now);
    assert_eq!(bench.state(), CopyState::Late);
    assert_eq!(bench.machine.worsened(bench.now), Some(CopyState::Late));
    assert_eq!(bench.machine.due_in(bench.now), Duration::ZERO, "the first load is due");
    bench.pass(10);
    let seen = bench.machine.seen(bench.now).unwrap();
    assert!(seen.is_from_snapshot && seen.age == Duration::from_secs(140));
    bench.load(None);
    let seen = bench.machine.seen(bench.now).unwrap();
    assert!(!seen.is_from_snapshot && seen.age == Duration::ZERO && seen.value == 1);
    bench.machine.restore(2, 1, bench.now.wall, bench.now);
    assert_eq!(bench.machine.seen(bench.now).unwrap().value, 1, "there is more by now");
}

#[test]
fn failures_in_a_row_wait_longer_up_to_the_interval_and_a_success_forgets_them() {
    let mut bench = Bench::new();
    for most in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let wait = bench.fail(LoadFailure::Failed);
        assert!(wait >= SHORTEST_WAIT && wait <= Duration::from_secs(most), "{most}: {wait:?}");
        assert_eq!(bench.machine.due_in(bench.now), wait);
    }
    for _ in 0..40 {
        bench.fail(LoadFailure::Failed);
    }
    bench.load(Some(1));
    assert!(bench.machine.problem().is_none());
    assert!(bench.fail(LoadFailure::Failed) <= Duration::from_secs(1));
}

#[test]
fn a_load_that_is_asked_for_is_due_at_once_unless_one_runs() {
    let mut bench = Bench::new();
    bench.load(Some(1));
    assert!(!bench.machine.due_in(bench.now).is_zero());
    bench.machine.ask();
    assert!(bench.machine.due_in(bench.now).is_zero());
    bench.machine.begin();
    bench.machine.ask();
    bench.machine.loaded(None, bench.now, bench.now, &bench.rng);
    assert!(!bench.machine.due_in(bench.now).is_zero(), "the one that ran is as good");
}

#[test]
fn only_what_was_refused_can_be_accepted_until_a_load_succeeds() {
    let mut bench = Bench::new();
    assert!(!bench.accept());
    bench.fail(LoadFailure::TimedOut);
    assert!(!bench.accept());
    bench.refuse(4);
    assert!(bench.accept() && bench.machine.due_in(bench.now).is_zero());
    bench.fail(LoadFailure::Failed);
    assert_eq!(bench.accepted(), Some(4), "there was nothing to let pass");
    bench.load(Some(1));
    assert_eq!(bench.accepted(), None);
}

#[test]
fn an_acceptance_ends_with_another_refusal_and_after_ten_minutes() {
    let mut bench = Bench::new();
    bench.refuse(4);
    assert!(bench.accept());
    // A load of the same that was checked before it was accepted.
    bench.refuse(4);
    assert_eq!(bench.accepted(), Some(4));
    bench.refuse(3);
    assert_eq!(bench.accepted(), None);
    assert!(bench.accept());
    bench.pass(599);
    assert_eq!(bench.accepted(), Some(3));
    bench.pass(1);
    assert_eq!(bench.accepted(), None);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// By the monotonic clock, and by the wall clock, which may also be set.
    Pass(u16, i32),
    Load {
        changed: bool,
        takes: u16,
    },
    Fail,
    Ask,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..200_u16).prop_map(|time| Step::Pass(time, i32::from(time))),
        1 => (0..200_u16, -4000..4000_i32).prop_map(|(time, wall)| Step::Pass(time, wall)),
        2 => (any::<bool>(), 0..90_u16).prop_map(|(changed, takes)| Step::Load { changed, takes }),
        2 => Just(Step::Fail),
        1 => Just(Step::Ask),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #[test]
    fn whatever_happens_a_copy_is_the_last_that_was_loaded_and_never_seems_younger_than_it_is(
        steps in steps(),
    ) {
        follow(&steps)?;
    }
}

/// Compares the machine with what it says in a sentence.
fn follow(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut bench = Bench::new();
    let mut last: Option<(u32, Moments)> = None;
    let mut told_since_load = Vec::new();
    for (number, step) in (1..).zip(steps) {
        match *step {
            Step::Pass(time, wall) => {
                bench.now.monotonic += Duration::from_secs(time.into());
                let by = Duration::from_secs(wall.unsigned_abs().into());
                bench.now.wall = if wall < 0 { bench.now.wall - by } else { bench.now.wall + by };
            }
            Step::Load { changed, takes } => {
                let began = bench.now;
                bench.machine.begin();
                bench.pass(takes.into());
                let value = (changed || last.is_none()).then_some(number);
                let old = bench.machine.loaded(
                    value.map(|value| (value, 1)),
                    began,
                    bench.now,
                    &bench.rng,
                );
                prop_assert_eq!(old, last.filter(|_| value.is_some()).map(|(old, _)| old));
                let kept = last.map_or(number, |(old, _)| old);
                last = Some((value.unwrap_or(kept), began));
                told_since_load.clear();
                let due = bench.machine.due_in(bench.now) + Duration::from_secs(takes.into());
                prop_assert!(due <= Duration::from_secs(66).max(Duration::from_secs(takes.into())));
                prop_assert!(due >= Duration::from_secs(54).min(Duration::from_secs(takes.into())));
            }
            Step::Fail => {
                let wait = bench.fail(LoadFailure::Failed);
                prop_assert!(wait <= EVERY && wait >= SHORTEST_WAIT);
            }
            Step::Ask => {
                bench.machine.ask();
                prop_assert!(bench.machine.due_in(bench.now).is_zero());
            }
        }
        let Some((value, began)) = last else {
            prop_assert_eq!(bench.state(), CopyState::Empty);
            continue;
        };
        let seen = bench.machine.seen(bench.now).unwrap();
        prop_assert_eq!(seen.value, value);
        prop_assert!(seen.age >= bench.now.since(&began));
        let state = bench.state();
        prop_assert_eq!(state == CopyState::Expired, seen.age >= MAX_AGE);
        prop_assert_eq!(state == CopyState::Current, seen.age < EVERY * 2);
        if let Some(worse) = bench.machine.worsened(bench.now) {
            prop_assert_eq!(worse, state);
            told_since_load.push(worse);
        }
        prop_assert!(bench.machine.worsened(bench.now).is_none(), "it is told once");
        prop_assert!(bench.machine.due_in(bench.now) <= Duration::from_secs(66));
    }
    Ok(())
}

#[test]
fn a_snapshot_of_the_future_has_an_unknown_age_and_is_late_or_expired() {
    for (max_age, state) in [(None, CopyState::Late), (Some(MAX_AGE), CopyState::Expired)] {
        let mut bench = Bench::new();
        bench.machine = Machine::new(Times { every: EVERY, max_age }, bench.now);
        let tomorrow = bench.now.wall + Duration::from_secs(24 * 3600);
        bench.machine.restore(1, 1, tomorrow, bench.now);
        assert_eq!(bench.state(), state);
    }
}

#[test]
fn the_longest_interval_there_is_does_not_overflow() {
    let mut bench = Bench::new();
    bench.machine = Machine::new(Times { every: Duration::MAX, max_age: None }, bench.now);
    bench.load(Some(1));
    assert_eq!(bench.state(), CopyState::Current);
    bench.fail(LoadFailure::Failed);
}
