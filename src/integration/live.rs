use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::edge::Edge;
use super::preset::Preset;
use super::slots::Slots;
use crate::transport::pool::PoolLimits;

/// A stack that can be composed anew from other settings while calls run through it.
///
/// Calls that are under way end in the stack that they began in. What layers remember and hold is
/// handed over, so that both stacks share it.
pub(super) struct Live {
    edge: RwLock<Arc<dyn Edge>>,
    /// What runs.
    slots: Mutex<Slots>,
    /// Held by who changes it, and by nobody who only looks.
    changing: Mutex<()>,
    /// What it was built with in code, before settings from elsewhere.
    base: Base,
    compose: Box<Compose>,
}

type Compose = dyn Fn(&Slots) -> Arc<dyn Edge> + Send + Sync;

/// What settings from elsewhere are laid over.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) preset: Preset,
    pub(super) slots: Slots,
    /// Absent where the client is not the integration's own.
    pub(super) limits: Option<PoolLimits>,
}

impl Live {
    pub(super) fn new(
        base: Base,
        slots: Slots,
        compose: impl Fn(&Slots) -> Arc<dyn Edge> + Send + Sync + 'static,
    ) -> Self {
        let edge = RwLock::new(compose(&slots));
        let (slots, changing) = (Mutex::new(slots), Mutex::default());
        Self { edge, slots, changing, base, compose: Box::new(compose) }
    }

    /// The stack of this moment.
    pub(super) fn edge(&self) -> Arc<dyn Edge> {
        Arc::clone(&self.edge.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn base(&self) -> &Base {
        &self.base
    }

    /// What runs just now.
    pub(super) fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn swap(&self, edge: Arc<dyn Edge>) -> Arc<dyn Edge> {
        let mut current = self.edge.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, edge)
    }

    /// Other settings from the next call on; they must have been checked. What else there is to change
    /// is changed along with them.
    pub(super) fn change(&self, to: Slots, along: impl FnOnce()) {
        // Two who change at once do so one after the other.
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        along();
        let running = self.slots().clone();
        let rehearsed = running.rehearsal.plan_on();
        let slots = to.inherit(&running);
        let edge = (self.compose)(&slots);
        let rehearsal = slots.rehearsal.clone();
        let before = std::mem::replace(&mut *self.slots(), slots);
        let before = (before, running, self.swap(edge));
        drop(changing);
        // What users gave may do anything when it goes.
        drop(before);
        // Listeners may look at all of it, and change it again.
        rehearsal.tell_since(rehearsed);
    }
}
