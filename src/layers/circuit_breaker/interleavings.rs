//! Every order in which two threads can meet at a breaker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread;

use super::config::{BreakerConfig, WindowSize};
use super::shared::{Decision, SharedBreaker};
use super::state::{AttemptOutcome, CallSafety};
use super::window::{Counts, Window, WindowSample};
use crate::rt::{self, Rng};

const FAILED: AttemptOutcome = AttemptOutcome::Failure { retry_after: None };
const A_FAILURE: WindowSample = WindowSample { failed: true, slow: false };

/// Opens after so many failures of the last few calls.
fn opens_after(failures: u32, now: Instant) -> Arc<SharedBreaker> {
    let window = WindowSize::Calls(4);
    let rules = BreakerConfig { consecutive: None, failures: Some(failures), ..Default::default() };
    Arc::new(SharedBreaker::new(BreakerConfig { window, ..rules }, now))
}

/// A call that is admitted because the breaker is closed, and ends with `outcome`.
fn call(shared: &SharedBreaker, outcome: AttemptOutcome, now: Instant) {
    let admission = shared.admit_closed(|| now).expect("closed");
    drop(shared.record(admission, outcome, now, &Rng::seeded(1)));
}

/// A breaker that is open, and a time when the next probe is due.
fn open(now: Instant) -> (Arc<SharedBreaker>, Instant) {
    let shared = opens_after(1, now);
    call(&shared, FAILED, now);
    assert!(!shared.admits_all());
    (shared, now + Duration::from_secs(1))
}

#[test]
fn two_failures_at_once_are_both_counted() {
    loom::model(|| {
        let now = rt::now();
        let shared = opens_after(2, now);
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || call(&other, FAILED, now));
        call(&shared, FAILED, now);
        other.join().unwrap();
        assert!(!shared.admits_all());
    });
}

#[test]
fn a_success_of_the_time_before_does_not_close_it() {
    loom::model(|| {
        let now = rt::now();
        let shared = opens_after(1, now);
        let [failing, succeeding] = [(); 2].map(|()| shared.admit_closed(|| now).expect("closed"));
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || {
            drop(other.record(succeeding, AttemptOutcome::Success, now, &Rng::seeded(1)));
        });
        drop(shared.record(failing, FAILED, now, &Rng::seeded(1)));
        other.join().unwrap();
        assert!(!shared.admits_all());
    });
}

#[test]
fn one_probe_is_let_pass_of_two_calls_that_ask_at_once() {
    loom::model(|| {
        let (shared, due) = open(rt::now());
        let is_admitted = move |shared: &SharedBreaker| {
            let (decision, _) = shared.admit(CallSafety::Safe, due, &Rng::seeded(1));
            matches!(decision, Decision::Admitted(_))
        };
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || is_admitted(&other));
        let own = is_admitted(&shared);
        assert!(own ^ other.join().unwrap());
    });
}

#[test]
fn a_probe_that_succeeds_closes_it_for_all() {
    loom::model(|| {
        let (shared, due) = open(rt::now());
        let (Decision::Admitted(probe), _) = shared.admit(CallSafety::Safe, due, &Rng::seeded(1))
        else {
            panic!("a probe is due");
        };
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || {
            // Either it is still open for this one, or what comes of it counts for the new state.
            if let Some(admission) = other.admit_closed(|| due) {
                drop(other.record(admission, FAILED, due, &Rng::seeded(1)));
                assert!(!other.admits_all());
            }
        });
        drop(shared.record(probe, AttemptOutcome::Success, due, &Rng::seeded(1)));
        let is_closed = shared.admits_all();
        other.join().unwrap();
        assert!(is_closed || shared.admit_closed(|| due).is_none());
    });
}

#[test]
fn a_window_of_calls_is_right_after_two_results_at_once() {
    loom::model(|| {
        let window = Arc::new(Window::new(WindowSize::Calls(1)));
        window.record(Duration::ZERO, A_FAILURE);
        let other = Arc::clone(&window);
        let other = thread::spawn(move || other.record(Duration::ZERO, WindowSample::default()));
        window.record(Duration::ZERO, WindowSample::default());
        other.join().unwrap();
        assert_eq!(window.counts(Duration::ZERO), Counts { total: 1, failed: 0, slow: 0 });
    });
}

#[test]
fn a_window_of_time_does_not_count_twice() {
    loom::model(|| {
        let window = Arc::new(Window::new(WindowSize::Time(Duration::from_secs(32))));
        window.record(Duration::ZERO, A_FAILURE);
        let later = Duration::from_secs(1);
        let other = Arc::clone(&window);
        let other = thread::spawn(move || other.record(later, A_FAILURE));
        window.record(later, A_FAILURE);
        other.join().unwrap();
        // What is added in the instant in which a step is emptied may be lost.
        let failed = window.counts(later).failed;
        assert!((2..=3).contains(&failed), "{failed}");
    });
}

#[test]
fn a_failure_of_hours_ago_does_not_come_back_while_another_empties_its_step() {
    loom::model(|| {
        let window = Arc::new(Window::new(WindowSize::Time(Duration::from_secs(32))));
        window.record(Duration::ZERO, A_FAILURE);
        let later = Duration::from_secs(3_600);
        let other = Arc::clone(&window);
        let other = thread::spawn(move || other.record(later, WindowSample::default()));
        let failed = window.counts(later).failed;
        other.join().unwrap();
        assert_eq!(failed, 0);
    });
}
