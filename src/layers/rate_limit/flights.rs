use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

use super::limiter::Limiter;

/// Calls that were let through and aren't answered yet, of all who share a bound, and who waits for one
/// of them to end.
///
/// Of several limiters, each has its turn: one that is given room and has more who wait goes to the end.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: AtomicU32,
    waiting: Mutex<VecDeque<Weak<Limiter>>>,
}

impl Flights {
    pub(super) fn under_way(&self) -> u32 {
        self.under_way.load(Ordering::Acquire)
    }

    /// Whether one more went, of at most so many.
    pub(super) fn begin(&self, most: Option<u32>) -> bool {
        let more = |now: u32| match most {
            Some(most) if now >= most => None,
            _ => now.checked_add(1),
        };
        self.under_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// One ended. No limiter's lock may be held.
    pub(super) fn end(&self) {
        let less = |now: u32| Some(now.saturating_sub(1));
        let _ = self.under_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.pass_on();
    }

    /// Somebody is to look for room. No limiter's lock may be held.
    pub(super) fn pass_on(&self) {
        loop {
            let Some(next) = self.waiting().pop_front() else { return };
            if next.upgrade().is_some_and(|limiter| limiter.wake_first()) {
                return;
            }
        }
    }

    /// Whether others wait for room, to whom it belongs.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// The first in the queue of this one found no room.
    pub(super) fn wait(&self, limiter: Weak<Limiter>) {
        let mut waiting = self.waiting();
        if !waiting.iter().any(|known| known.ptr_eq(&limiter)) {
            waiting.push_back(limiter);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Weak<Limiter>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
