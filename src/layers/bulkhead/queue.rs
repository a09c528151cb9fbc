use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::limit::Priority;
use super::permits::{Permit, Permits};

/// The calls that wait for a permit.
#[derive(Debug, Default)]
pub(super) struct Queue {
    high: VecDeque<Arc<Waiter>>,
    low: VecDeque<Arc<Waiter>>,
    /// How many in both don't count towards the queue's limit.
    exempt: u32,
}

/// Whether a waiting call counts towards the queue's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum QueueSlot {
    /// It counts, and is refused if the queue is full.
    #[default]
    Counted,
    /// It doesn't count: a queue further out sends no more such calls than there are permits.
    Exempt,
}

/// Waits in the queue for a permit, and leaves it when dropped.
#[derive(Debug)]
pub(super) struct Acquire {
    permits: Arc<Permits>,
    waiter: Arc<Waiter>,
    priority: Priority,
    /// It was granted or shed: there is nothing to leave.
    taken: bool,
}

/// A waiting call, as the queue holds it.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    queue_slot: QueueSlot,
    state: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

/// A call of high priority took the place in the queue.
#[derive(Debug)]
pub(super) struct Shed;

// === impl Queue ===

impl Queue {
    pub(super) fn push(&mut self, priority: Priority, queue_slot: QueueSlot) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { queue_slot, ..Waiter::default() });
        self.exempt += waiter.exempt();
        self.of(priority).push_back(Arc::clone(&waiter));
        waiter
    }

    /// Whether a waiting call goes before a new one of this priority.
    pub(super) fn comes_before(&self, priority: Priority) -> bool {
        !self.high.is_empty() || (priority == Priority::Low && !self.low.is_empty())
    }

    /// Removes the call that is next: high before low, then the first that came.
    pub(super) fn next(
        &mut self,
        has_free_permit: impl Fn(Priority) -> bool,
    ) -> Option<Arc<Waiter>> {
        let priority = if self.high.is_empty() { Priority::Low } else { Priority::High };
        if !has_free_permit(priority) {
            return None;
        }
        let next = self.of(priority).pop_front()?;
        self.exempt -= next.exempt();
        Some(next)
    }

    /// Removes the youngest call of low priority that counts, which is to be woken.
    pub(super) fn shed(&mut self) -> Option<Arc<Waiter>> {
        let at = self.low.iter().rposition(|waiter| waiter.queue_slot == QueueSlot::Counted)?;
        let shed = self.low.remove(at)?;
        shed.state.store(SHED, Ordering::Release);
        Some(shed)
    }

    pub(super) fn remove(&mut self, waiter: &Arc<Waiter>, priority: Priority) -> bool {
        let queue = self.of(priority);
        let at = queue.iter().position(|other| Arc::ptr_eq(other, waiter));
        let removed = at.and_then(|at| queue.remove(at));
        self.exempt -= removed.as_ref().map_or(0, |waiter| waiter.exempt());
        removed.is_some()
    }

    /// How many don't count towards the queue's limit.
    pub(super) fn exempt(&self) -> u32 {
        self.exempt
    }

    pub(super) fn len(&self, priority: Priority) -> u32 {
        let queue = if priority == Priority::High { &self.high } else { &self.low };
        u32::try_from(queue.len()).unwrap_or(u32::MAX)
    }

    fn of(&mut self, priority: Priority) -> &mut VecDeque<Arc<Waiter>> {
        match priority {
            Priority::High => &mut self.high,
            Priority::Low => &mut self.low,
        }
    }
}

// === impl Ticket ===

impl Acquire {
    pub(super) fn new(permits: Arc<Permits>, waiter: Arc<Waiter>, priority: Priority) -> Self {
        Self { permits, waiter, priority, taken: false }
    }

    /// The permit once it is granted, or `Shed`.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Result<Permit, Shed>> {
        self.waiter.remember(waker);
        let state = self.waiter.state.load(Ordering::Acquire);
        if state == WAITING {
            return Poll::Pending;
        }
        self.taken = true;
        Poll::Ready(if state == GRANTED { Ok(self.permits.permit()) } else { Err(Shed) })
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if self.taken || self.permits.leave(&self.waiter, self.priority) {
            return;
        }
        // It was granted already: the permit goes to the next call.
        if self.waiter.state.load(Ordering::Acquire) == GRANTED {
            self.permits.release();
        }
    }
}

// === impl Waiter ===

impl Waiter {
    fn exempt(&self) -> u32 {
        u32::from(self.queue_slot == QueueSlot::Exempt)
    }

    pub(super) fn grant(&self) {
        self.state.store(GRANTED, Ordering::Release);
    }

    pub(super) fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn remember(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }
}

/// Neither granted nor shed.
const WAITING: u8 = 0;
/// The call has a permit.
const GRANTED: u8 = 1;
/// The call will get no permit.
const SHED: u8 = 2;
