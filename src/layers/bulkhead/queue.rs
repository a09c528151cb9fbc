use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::limit::Priority;
use super::places::{Permit, Places};

/// Who waits for a place, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Queue {
    high: VecDeque<Arc<Waiter>>,
    low: VecDeque<Arc<Waiter>>,
    /// Those in both who need no spot.
    extra: u32,
}

/// Whether the queue's length is a matter for who waits in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It takes one of the queue's spots, or there is none for it.
    #[default]
    Counted,
    /// A queue further out lets no more such calls come than there are places: they need no spot.
    Extra,
}

/// A place in the queue; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    places: Arc<Places>,
    waiter: Arc<Waiter>,
    priority: Priority,
    /// The turn was taken: there is nothing left to give up.
    taken: bool,
}

/// One who waits, as the others see it.
#[derive(Debug, Default)]
pub(super) struct Waiter {
    standing: Standing,
    turn: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

/// The place in the queue went to somebody else.
#[derive(Debug)]
pub(super) struct Shed;

// === impl Queue ===

impl Queue {
    pub(super) fn push(&mut self, priority: Priority, standing: Standing) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { standing, ..Waiter::default() });
        self.extra += waiter.extra();
        self.of(priority).push_back(Arc::clone(&waiter));
        waiter
    }

    /// Whether anybody waits whose turn comes before that of a newcomer.
    pub(super) fn comes_before(&self, priority: Priority) -> bool {
        !self.high.is_empty() || (priority == Priority::Low && !self.low.is_empty())
    }

    /// Takes out whose turn it is: high before low, then whoever came first.
    pub(super) fn next(&mut self, has_room: impl Fn(Priority) -> bool) -> Option<Arc<Waiter>> {
        let priority = if self.high.is_empty() { Priority::Low } else { Priority::High };
        if !has_room(priority) {
            return None;
        }
        let next = self.of(priority).pop_front()?;
        self.extra -= next.extra();
        Some(next)
    }

    /// Takes out the youngest waiter of low priority who has a spot, and is to be woken.
    pub(super) fn shed(&mut self) -> Option<Arc<Waiter>> {
        let at = self.low.iter().rposition(|waiter| waiter.standing == Standing::Counted)?;
        let shed = self.low.remove(at)?;
        shed.turn.store(SHED, Ordering::Release);
        Some(shed)
    }

    pub(super) fn remove(&mut self, waiter: &Arc<Waiter>, priority: Priority) -> bool {
        let queue = self.of(priority);
        let at = queue.iter().position(|other| Arc::ptr_eq(other, waiter));
        let removed = at.and_then(|at| queue.remove(at));
        self.extra -= removed.as_ref().map_or(0, |waiter| waiter.extra());
        removed.is_some()
    }

    /// How many need no spot.
    pub(super) fn extra(&self) -> u32 {
        self.extra
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

impl Ticket {
    pub(super) fn new(places: Arc<Places>, waiter: Arc<Waiter>, priority: Priority) -> Self {
        Self { places, waiter, priority, taken: false }
    }

    /// The place, once it is our turn; or the news that it will never be.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Result<Permit, Shed>> {
        self.waiter.remember(waker);
        let turn = self.waiter.turn.load(Ordering::Acquire);
        if turn == WAITING {
            return Poll::Pending;
        }
        self.taken = true;
        Poll::Ready(if turn == GRANTED { Ok(self.places.permit()) } else { Err(Shed) })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.taken || self.places.leave(&self.waiter, self.priority) {
            return;
        }
        // It was our turn already: the place goes to the next.
        if self.waiter.turn.load(Ordering::Acquire) == GRANTED {
            self.places.give_back();
        }
    }
}

// === impl Waiter ===

impl Waiter {
    fn extra(&self) -> u32 {
        u32::from(self.standing == Standing::Extra)
    }

    pub(super) fn grant(&self) {
        self.turn.store(GRANTED, Ordering::Release);
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

/// Neither has come.
const WAITING: u8 = 0;
/// There is a place for it.
const GRANTED: u8 = 1;
/// There will be none.
const SHED: u8 = 2;
