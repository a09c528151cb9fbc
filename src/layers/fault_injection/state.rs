use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use crate::pattern::ownership::Ownership;

/// The plan, whether one is allowed, and the number of faults.
#[derive(Debug, Default)]
pub(super) struct Switch {
    /// Whether there is a plan; a call reads only this while there is none.
    on: AtomicBool,
    held: Mutex<Held>,
    injected: AtomicU64,
    pub(super) ownership: Ownership,
}

/// If no plan is allowed, there is none.
#[derive(Debug, Default)]
struct Held {
    allowed: bool,
    plan: Option<Arc<Plan>>,
}

impl Switch {
    pub(super) fn new(allowed: bool, plan: Option<Arc<Plan>>) -> Self {
        let switch = Self::default();
        switch.permit(allowed, Some(plan));
        switch
    }

    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    pub(super) fn plan(&self) -> Option<Arc<Plan>> {
        if !self.is_on() {
            return None;
        }
        self.held().plan.clone()
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.held().allowed
    }

    /// Sets the plan; false if none is allowed.
    pub(super) fn start(&self, plan: Plan) -> bool {
        let mut held = self.held();
        if held.allowed {
            held.plan = Some(Arc::new(plan));
            self.on.store(true, Ordering::Release);
        }
        held.allowed
    }

    /// Removes the plan; false if there was none.
    pub(super) fn stop(&self) -> bool {
        let mut held = self.held();
        self.on.store(false, Ordering::Release);
        held.plan.take().is_some()
    }

    /// Allows or forbids plans, and replaces the plan by `other` if that is given.
    pub(super) fn permit(&self, allowed: bool, other: Option<Option<Arc<Plan>>>) {
        let mut held = self.held();
        held.allowed = allowed;
        let plan = other.unwrap_or_else(|| held.plan.take());
        held.plan = plan.filter(|_| allowed);
        self.on.store(held.plan.is_some(), Ordering::Release);
    }

    pub(super) fn injected(&self) -> u64 {
        self.injected.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing that could panic runs under the lock.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
