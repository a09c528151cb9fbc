//! The calls that are held while the breaker is open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::state::{Admission, CallSafety};
use crate::rt;

/// The held calls, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct HeldQueue {
    waiting: BTreeMap<u64, Arc<HeldCall>>,
    /// The ids of those that may be repeated safely, which are the first to probe; and of the others.
    safe: BTreeSet<u64>,
    others: BTreeSet<u64>,
    /// The id of the next one to be held.
    next_id: u64,
    /// Whether a task releases them, and when it checks next.
    pub(super) has_task: bool,
    pub(super) next_check: Option<Instant>,
}

/// A held call.
#[derive(Debug)]
pub(super) struct HeldCall {
    id: u64,
    pub(super) safety: CallSafety,
    state: Mutex<WaiterState>,
}

#[derive(Debug, Default)]
struct WaiterState {
    waker: Option<Waker>,
    admission: Option<Admission>,
}

impl HeldQueue {
    pub(super) fn join(&mut self, safety: CallSafety) -> Arc<HeldCall> {
        let call = Arc::new(HeldCall { id: self.next_id, safety, state: Mutex::default() });
        self.next_id += 1;
        match safety {
            CallSafety::Safe => self.safe.insert(call.id),
            CallSafety::Unsafe => self.others.insert(call.id),
        };
        self.waiting.insert(call.id, Arc::clone(&call));
        call
    }

    /// Whether the caller must spawn the task that releases them: there is none, or its runtime no
    /// longer polls it.
    pub(super) fn needs_task(&mut self, now: Instant) -> bool {
        let is_late = self.next_check.is_some_and(|next| now > rt::after(next, MAX_LATENESS));
        let must = !self.has_task || is_late;
        if must {
            (self.has_task, self.next_check) = (true, None);
        }
        must
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The call that would be the next probe.
    pub(super) fn next_probe(&self, is_unsafe_due: bool) -> Option<Arc<HeldCall>> {
        let (first, then) = match is_unsafe_due {
            true => (&self.others, &self.safe),
            false => (&self.safe, &self.others),
        };
        let id = first.first().or(then.first())?;
        self.waiting.get(id).cloned()
    }

    pub(super) fn first(&self) -> Option<Arc<HeldCall>> {
        self.waiting.first_key_value().map(|(_, call)| Arc::clone(call))
    }

    /// Removes a call; false if it was removed before.
    pub(super) fn remove(&mut self, call: &HeldCall) -> bool {
        self.safe.remove(&call.id);
        self.others.remove(&call.id);
        self.waiting.remove(&call.id).is_some()
    }
}

/// A busy runtime polls a task that is due no later than this.
const MAX_LATENESS: Duration = Duration::from_secs(1);

impl HeldCall {
    /// Admits the call. The waker is to be woken once no lock is held.
    pub(super) fn grant(&self, admission: Admission) -> Option<Waker> {
        let mut state = self.state();
        state.admission = Some(admission);
        state.waker.take()
    }

    pub(super) fn poll(&self, waker: &Waker) -> Poll<Admission> {
        let mut state = self.state();
        if let Some(admission) = state.admission.take() {
            return Poll::Ready(admission);
        }
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Poll::Pending
    }

    /// The admission that was granted and has not been used.
    pub(super) fn take(&self) -> Option<Admission> {
        self.state().admission.take()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, WaiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
