use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::box_stack::DynStack;
use super::preset::Preset;
use super::slots::Slots;
use crate::rt::Lock;
use crate::transport::pool::PoolLimits;

/// A stack that can be replaced by one with other settings while calls run through it.
///
/// Running calls end in the stack in which they began. The new stack takes over the layers' state,
/// so that both share it.
pub(super) struct Reload {
    stack: RwLock<Arc<dyn DynStack>>,
    /// The present settings.
    slots: Mutex<Slots>,
    /// Held while the settings are changed, but not while they are read.
    changing: Mutex<()>,
    /// The settings from code, without those from a file.
    baseline: Baseline,
    compose: Box<Compose>,
}

type Compose = dyn Fn(&Slots) -> Arc<dyn DynStack> + Send + Sync;

/// The settings from code, with which those from a file are merged.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    pub(super) preset: Preset,
    pub(super) slots: Slots,
    /// Absent if the client isn't the integration's own.
    pub(super) limits: Option<PoolLimits>,
}

impl Reload {
    pub(super) fn new(
        baseline: Baseline,
        slots: Slots,
        compose: impl Fn(&Slots) -> Arc<dyn DynStack> + Send + Sync + 'static,
    ) -> Self {
        let stack = RwLock::new(compose(&slots));
        let (slots, changing) = (Mutex::new(slots), Mutex::default());
        Self { stack, slots, changing, baseline, compose: Box::new(compose) }
    }

    /// The present stack.
    pub(super) fn stack(&self) -> Arc<dyn DynStack> {
        Arc::clone(&self.stack.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn base(&self) -> &Baseline {
        &self.baseline
    }

    /// The present settings.
    pub(super) fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.locked()
    }

    fn swap(&self, stack: Arc<dyn DynStack>) -> Arc<dyn DynStack> {
        let mut current = self.stack.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, stack)
    }

    /// Changes the settings, which must have been checked, from the next call on. `along` runs
    /// under the same lock.
    pub(super) fn change(&self, to: Slots, along: impl FnOnce()) {
        // Two concurrent changes are made one after the other.
        let changing = self.changing.locked();
        along();
        let running = self.slots().clone();
        let injected = running.fault_injection.plan_on();
        let slots = to.inherit(&running);
        let stack = (self.compose)(&slots);
        let fault_injection = slots.fault_injection.clone();
        let before = std::mem::replace(&mut *self.slots(), slots);
        let before = (before, running, self.swap(stack));
        drop(changing);
        // Values of users may run any code when they are dropped: hold no lock.
        drop(before);
        // Subscribers may read the settings, and even change them again: hold no lock.
        fault_injection.tell_since(injected);
    }
}
