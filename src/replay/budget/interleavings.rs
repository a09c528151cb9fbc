//! Every interleaving of two threads at a budget.
//!
//! Loom treats `SeqCst` as `AcqRel`, so it can't show that a call's deposit wakes a waiting retry:
//! `tests/stress` tests that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use loom::thread;

use super::RetryBudget;
use crate::rt;
use crate::settings::Ratio;

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// By calls, with so many retries saved and no floor.
fn by_calls(percent: u32, saved: u32) -> RetryBudget {
    RetryBudget::new(Ratio::percent(percent), 0).burst(saved)
}

#[test]
fn one_retry_that_is_saved_is_taken_once() {
    loom::model(|| {
        let (budget, now) = (by_calls(0, 1), rt::now());
        let other = budget.clone();
        let other = thread::spawn(move || other.withdraw(now).is_some());
        let own = budget.withdraw(now).is_some();
        assert!(own ^ other.join().unwrap());
    });
}

#[test]
fn what_calls_pay_in_is_there_however_they_meet() {
    loom::model(|| {
        let (budget, now) = (by_calls(50, 1), rt::now());
        assert!(budget.withdraw(now).is_some());
        let other = budget.clone();
        let other = thread::spawn(move || drop(other.begin_call()));
        drop(budget.begin_call());
        other.join().unwrap();
        assert!(budget.withdraw(now).is_some());
        assert!(budget.withdraw(now).is_none());
    });
}

#[test]
fn the_last_place_of_the_floor_is_taken_once() {
    loom::model(|| {
        let (budget, now) = (RetryBudget::new(Ratio::ZERO, 1).burst(0), rt::now());
        let other = budget.clone();
        let other = thread::spawn(move || other.withdraw(now).is_some());
        let own = budget.withdraw(now).is_some();
        assert!(own ^ other.join().unwrap());
        assert!(budget.withdraw(now + Duration::from_secs(11)).is_some());
    });
}

#[test]
fn a_retry_under_way_is_given_back_once() {
    loom::model(|| {
        let (budget, now) = (RetryBudget::under_way(Ratio::ZERO, 1), rt::now());
        let other = budget.clone();
        let other = thread::spawn(move || drop(other.withdraw(now)));
        drop(budget.withdraw(now));
        other.join().unwrap();
        assert_eq!(budget.saved(), Some(1));
    });
}

#[test]
fn who_waits_is_woken_by_a_retry_that_ends() {
    loom::model(|| {
        let (budget, now) = (RetryBudget::under_way(Ratio::ZERO, 1), rt::now());
        let pass = budget.withdraw(now);
        assert!(pass.is_some());
        let ends = thread::spawn(move || drop(pass));
        let woken = Arc::new(Woken::default());
        let mut place = budget.place();
        let has_it = place.poll(now, &Waker::from(Arc::clone(&woken))).is_ok();
        ends.join().unwrap();
        assert!(has_it || woken.0.load(Ordering::SeqCst));
    });
}
