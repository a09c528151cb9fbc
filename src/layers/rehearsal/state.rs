use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;

/// Whether a rehearsal is on, which one, and how much it did.
#[derive(Debug, Default)]
pub(super) struct Switch {
    /// There is a plan; all that a call looks at while there is none.
    on: AtomicBool,
    plan: Mutex<Option<Arc<Plan>>>,
    injected: AtomicU64,
}

impl Switch {
    pub(super) fn new(plan: Option<Arc<Plan>>) -> Self {
        let (on, plan) = (AtomicBool::new(plan.is_some()), Mutex::new(plan));
        Self { on, plan, injected: AtomicU64::new(0) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    pub(super) fn plan(&self) -> Option<Arc<Plan>> {
        if !self.is_on() {
            return None;
        }
        self.held().clone()
    }

    /// Sets the plan, and says whether there was one.
    pub(super) fn set(&self, plan: Option<Plan>) -> bool {
        let mut held = self.held();
        self.on.store(plan.is_some(), Ordering::Release);
        std::mem::replace(&mut *held, plan.map(Arc::new)).is_some()
    }

    pub(super) fn injected(&self) -> u64 {
        self.injected.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Plan>>> {
        // Nothing that could panic runs under the lock.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
