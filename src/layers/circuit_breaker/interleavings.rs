//! Every order in which two threads can meet at a breaker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread;

use super::config::{BreakerConfig, WindowSize};
use super::gate::{Admission, Gate};
use super::state::{Asker, Verdict};
use super::window::{Mark, Sums, Window};
use crate::rt::{self, Rng};

const FAILED: Verdict = Verdict::Failure { retry_after: None };
const A_FAILURE: Mark = Mark { failed: true, slow: false };

/// Opens after so many failures of the last few calls.
fn opens_after(failures: u32, now: Instant) -> Arc<Gate> {
    let window = WindowSize::Calls(4);
    let rules = BreakerConfig { consecutive: None, failures: Some(failures), ..Default::default() };
    Arc::new(Gate::new(BreakerConfig { window, ..rules }, now))
}

/// One call that is let pass because the breaker is closed, and comes to this.
fn call(gate: &Gate, verdict: Verdict, now: Instant) {
    let ticket = gate.pass_closed(|| now).expect("closed");
    drop(gate.record(ticket, verdict, now, &Rng::seeded(1)));
}

/// A breaker that is open, and a time when the next probe is due.
fn open(now: Instant) -> (Arc<Gate>, Instant) {
    let gate = opens_after(1, now);
    call(&gate, FAILED, now);
    assert!(!gate.passes_all());
    (gate, now + Duration::from_secs(1))
}

#[test]
fn two_failures_at_once_are_both_counted() {
    loom::model(|| {
        let now = rt::now();
        let gate = opens_after(2, now);
        let other = Arc::clone(&gate);
        let other = thread::spawn(move || call(&other, FAILED, now));
        call(&gate, FAILED, now);
        other.join().unwrap();
        assert!(!gate.passes_all());
    });
}

#[test]
fn a_success_of_the_time_before_does_not_close_it() {
    loom::model(|| {
        let now = rt::now();
        let gate = opens_after(1, now);
        let [failing, succeeding] = [(); 2].map(|()| gate.pass_closed(|| now).expect("closed"));
        let other = Arc::clone(&gate);
        let other = thread::spawn(move || {
            drop(other.record(succeeding, Verdict::Success, now, &Rng::seeded(1)));
        });
        drop(gate.record(failing, FAILED, now, &Rng::seeded(1)));
        other.join().unwrap();
        assert!(!gate.passes_all());
    });
}

#[test]
fn one_probe_is_let_pass_of_two_calls_that_ask_at_once() {
    loom::model(|| {
        let (gate, due) = open(rt::now());
        let is_admitted = move |gate: &Gate| {
            let (admission, _) = gate.admit(Asker::Safe, due, &Rng::seeded(1));
            matches!(admission, Admission::Admitted(_))
        };
        let other = Arc::clone(&gate);
        let other = thread::spawn(move || is_admitted(&other));
        let own = is_admitted(&gate);
        assert!(own ^ other.join().unwrap());
    });
}

#[test]
fn a_probe_that_succeeds_closes_it_for_all() {
    loom::model(|| {
        let (gate, due) = open(rt::now());
        let (Admission::Admitted(probe), _) = gate.admit(Asker::Safe, due, &Rng::seeded(1)) else {
            panic!("a probe is due");
        };
        let other = Arc::clone(&gate);
        let other = thread::spawn(move || {
            // Either it is still open for this one, or what comes of it counts for the new state.
            if let Some(ticket) = other.pass_closed(|| due) {
                drop(other.record(ticket, FAILED, due, &Rng::seeded(1)));
                assert!(!other.passes_all());
            }
        });
        drop(gate.record(probe, Verdict::Success, due, &Rng::seeded(1)));
        let is_closed = gate.passes_all();
        other.join().unwrap();
        assert!(is_closed || gate.pass_closed(|| due).is_none());
    });
}

#[test]
fn a_window_of_calls_is_right_after_two_results_at_once() {
    loom::model(|| {
        let window = Arc::new(Window::new(WindowSize::Calls(1)));
        window.record(Duration::ZERO, A_FAILURE);
        let other = Arc::clone(&window);
        let other = thread::spawn(move || other.record(Duration::ZERO, Mark::default()));
        window.record(Duration::ZERO, Mark::default());
        other.join().unwrap();
        assert_eq!(window.sums(Duration::ZERO), Sums { total: 1, failed: 0, slow: 0 });
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
        let failed = window.sums(later).failed;
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
        let other = thread::spawn(move || other.record(later, Mark::default()));
        let failed = window.sums(later).failed;
        other.join().unwrap();
        assert_eq!(failed, 0);
    });
}
