use std::sync::{Arc, Mutex};

use http::HeaderMap;
use tokio::sync::Notify;

use super::error::LocalCopyError;
use super::guard::Counted;
use super::load::Load;
use super::load_error::{Problem, Refused};
use super::state::{Machine, Seen};
use crate::control::LocalCopyHealth;
use crate::event::{Emitter, Event};
use crate::freshness::Moments;
use crate::rt::{self, Clock, Lock};
use crate::terms::local_copy::{CopyState, LocalCopyEvent, SnapshotProblem};

/// What the handles of a copy and its task share. The lock is held for a few instructions, and never over an
/// await, an event or a function of the host.
pub(super) struct Shared<T> {
    pub(super) name: &'static str,
    pub(super) inner: Mutex<Inner<T>>,
    /// Wakes the task before the next load is due.
    pub(super) wake: Notify,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

pub(super) struct Inner<T> {
    pub(super) machine: Machine<Arc<T>>,
    /// The validators of the present copy, as a request's headers.
    pub(super) conditions: HeaderMap,
    /// What went wrong with the snapshot the last time.
    pub(super) snapshot: Option<SnapshotProblem>,
}

impl<T> Shared<T> {
    pub(super) fn now(&self) -> Moments {
        Moments { monotonic: rt::now(), wall: self.clock.wall() }
    }

    pub(super) fn get(&self) -> Result<Arc<T>, LocalCopyError> {
        let now = self.now();
        let inner = self.inner.locked();
        let problem = || inner.machine.problem().cloned();
        match (inner.machine.seen(now), inner.machine.state(now)) {
            (Some(seen), CopyState::Expired) => {
                let since = inner.machine.expired_since(&seen, now);
                Err(LocalCopyError::expired(self.name, since, problem()))
            }
            (Some(seen), _) => Ok(seen.value),
            (None, _) => Err(LocalCopyError::empty(self.name, problem())),
        }
    }

    /// The copy, also if it has expired.
    pub(super) fn seen(&self) -> Option<Seen<Arc<T>>> {
        let now = self.now();
        self.inner.locked().machine.seen(now)
    }

    pub(super) fn state(&self) -> CopyState {
        let now = self.now();
        self.inner.locked().machine.state(now)
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        self.inner.locked().machine.problem().cloned()
    }

    /// Begins a load, unless one runs.
    pub(super) fn ask(&self) {
        self.inner.locked().machine.ask();
        self.wake.notify_one();
    }

    /// Marks that a load runs; returns what it needs of the present copy.
    pub(super) fn begin(&self) -> Load {
        let mut inner = self.inner.locked();
        inner.machine.begin();
        Load { conditions: inner.conditions.clone() }
    }

    /// The present copy, for the guard.
    pub(super) fn present(&self) -> Option<Counted<T>> {
        self.seen().map(|seen| Counted { value: seen.value, count: seen.count })
    }

    /// Whether a person lets this one pass.
    pub(super) fn is_accepted(&self, new: &Refused) -> bool {
        let now = self.now();
        self.inner.locked().machine.accepted(now).is_some_and(|accepted| accepted.what == *new)
    }

    pub(super) fn health(&self) -> LocalCopyHealth {
        let now = self.now();
        let inner = self.inner.locked();
        let (seen, problem) = (inner.machine.seen(now), inner.machine.problem());
        LocalCopyHealth {
            name: self.name,
            state: inner.machine.state(now),
            age: seen.as_ref().map(|seen| seen.age),
            last_success: seen.as_ref().map(|seen| seen.loaded),
            count: seen.as_ref().map(|seen| seen.count),
            is_from_snapshot: seen.is_some_and(|seen| seen.is_from_snapshot),
            failure: problem.map(|problem| problem.failure),
            error: problem.map(|problem| problem.detail.to_string()),
            snapshot: inner.snapshot,
        }
    }

    pub(super) fn tell(&self, event: LocalCopyEvent) {
        self.emitter.emit(None, || Event::LocalCopy { copy: self.name, event });
    }
}
