use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

use super::limiter::Limiter;

/// Counts the calls that went out and aren't answered yet, of all limiters that share a bound. Limiters
/// wait here for one of those calls to end.
///
/// The limiters take turns: one that was woken and has more queued calls goes to the end.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    in_flight: AtomicU32,
    waiting: Mutex<VecDeque<Weak<Limiter>>>,
}

impl InFlight {
    pub(super) fn count(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counts one more call, if there are fewer than `most`.
    pub(super) fn try_begin(&self, most: Option<u32>) -> bool {
        let more = |now: u32| match most {
            Some(most) if now >= most => None,
            _ => now.checked_add(1),
        };
        self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// A call ended. No limiter's lock may be held.
    pub(super) fn end(&self) {
        let less = |now: u32| Some(now.saturating_sub(1));
        let _ = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.wake_next();
    }

    /// Wakes the limiter that waits longest. No limiter's lock may be held.
    pub(super) fn wake_next(&self) {
        loop {
            let Some(next) = self.waiting().pop_front() else { return };
            if next.upgrade().is_some_and(|limiter| limiter.wake_first()) {
                return;
            }
        }
    }

    /// Whether limiters wait, which go first.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// The first call in this limiter's queue waits for another call to end.
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
