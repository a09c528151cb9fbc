use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::body::{BodyEnd, OnBodyEnd};

/// The places and the queue for them.
///
/// Free places and the number of those who wait share one word, so that a place is taken and given
/// back with one exchange as long as nobody waits. Whoever waits has changed the word under the
/// queue's lock, and whoever gives a place back sees it and hands the place over instead.
#[derive(Debug)]
pub(super) struct Places {
    limit: u32,
    queue_limit: u32,
    /// Free places in the low half, waiters in the high half.
    word: AtomicU64,
    queue: Mutex<VecDeque<Arc<Waiter>>>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub struct Permit(Option<Arc<Places>>);

/// A place in the queue; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    places: Arc<Places>,
    waiter: Arc<Waiter>,
    /// The place was taken over: there is nothing left to give up.
    taken: bool,
}

#[derive(Debug, Default)]
struct Waiter {
    granted: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// What came of asking for a place.
#[derive(Debug)]
pub(super) enum Entry {
    Admitted(Permit),
    Queued(Ticket),
    Full,
}

// === impl Places ===

impl Places {
    pub(super) fn new(limit: u32, queue_limit: u32) -> Self {
        let word = AtomicU64::new(u64::from(limit));
        Self { limit, queue_limit, word, queue: Mutex::default() }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    pub(super) fn in_use(&self) -> u32 {
        self.limit - free(self.word.load(Ordering::Acquire))
    }

    pub(super) fn waiting(&self) -> u32 {
        waiting(self.word.load(Ordering::Acquire))
    }

    /// Whether a place is free just now; by the time it is asked for, it may not be.
    pub(super) fn has_room(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        free(word) > 0 && waiting(word) == 0
    }

    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        if self.take() {
            return Entry::Admitted(Permit(Some(Arc::clone(self))));
        }
        if self.queue_limit == 0 {
            return Entry::Full;
        }
        let mut queue = self.queue();
        loop {
            if self.take() {
                return Entry::Admitted(Permit(Some(Arc::clone(self))));
            }
            let word = self.word.load(Ordering::Acquire);
            if waiting(word) >= self.queue_limit {
                return Entry::Full;
            }
            // Only this exchange lets the next one who gives a place back know of us.
            if (free(word) == 0 || waiting(word) > 0) && self.exchange(word, word + WAITER) {
                let waiter = Arc::new(Waiter::default());
                queue.push_back(Arc::clone(&waiter));
                return Entry::Queued(Ticket { places: Arc::clone(self), waiter, taken: false });
            }
        }
    }

    /// Takes a free place, if nobody was here before.
    fn take(&self) -> bool {
        let mut word = self.word.load(Ordering::Acquire);
        while free(word) > 0 && waiting(word) == 0 {
            if self.exchange(word, word - 1) {
                return true;
            }
            word = self.word.load(Ordering::Acquire);
        }
        false
    }

    fn give_back(&self) {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if waiting(word) == 0 {
                if self.exchange(word, word + 1) {
                    return;
                }
                continue;
            }
            let mut queue = self.queue();
            let Some(next) = queue.pop_front() else {
                continue;
            };
            self.word.fetch_sub(WAITER, Ordering::AcqRel);
            next.granted.store(true, Ordering::Release);
            drop(queue);
            next.wake();
            return;
        }
    }

    fn exchange(&self, from: u64, to: u64) -> bool {
        self.word.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Arc<Waiter>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Ticket ===

impl Ticket {
    /// The place, once it is our turn.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Permit> {
        self.waiter.remember(waker);
        if !self.waiter.granted.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.taken = true;
        Poll::Ready(Permit(Some(Arc::clone(&self.places))))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut queue = self.places.queue();
        match queue.iter().position(|waiter| Arc::ptr_eq(waiter, &self.waiter)) {
            Some(at) => {
                queue.remove(at);
                self.places.word.fetch_sub(WAITER, Ordering::AcqRel);
            }
            // It was our turn already: the place goes to the next.
            None => {
                drop(queue);
                self.places.give_back();
            }
        }
    }
}

// === impl Waiter ===

impl Waiter {
    fn remember(&self, waker: &Waker) {
        let mut slot = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

impl<E> OnBodyEnd<E> for Permit {
    fn end(self, _: BodyEnd<'_, E>) {}
}

fn free(word: u64) -> u32 {
    word as u32
}

fn waiting(word: u64) -> u32 {
    (word >> 32) as u32
}

/// One waiter in the word.
const WAITER: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(places: &Arc<Places>) -> Permit {
        match places.enter() {
            Entry::Admitted(permit) => permit,
            other => panic!("expected a place, got {other:?}"),
        }
    }

    fn queued(places: &Arc<Places>) -> Ticket {
        match places.enter() {
            Entry::Queued(ticket) => ticket,
            other => panic!("expected a place in the queue, got {other:?}"),
        }
    }

    #[test]
    fn a_place_given_back_goes_to_who_came_first() {
        let places = Arc::new(Places::new(1, 2));
        let held = admitted(&places);
        let (mut first, mut second) = (queued(&places), queued(&places));
        assert!(matches!(places.enter(), Entry::Full));
        drop(held);
        assert!(second.poll(Waker::noop()).is_pending());
        let Poll::Ready(permit) = first.poll(Waker::noop()) else { panic!("the first waits on") };
        drop(permit);
        assert!(second.poll(Waker::noop()).is_ready());
    }

    #[test]
    fn nobody_overtakes_the_queue() {
        let places = Arc::new(Places::new(1, 2));
        let held = admitted(&places);
        let _first = queued(&places);
        drop(held);
        // The place is promised, though nobody has picked it up yet.
        assert!(!places.has_room());
        assert!(matches!(places.enter(), Entry::Queued(_)));
    }

    #[test]
    fn a_ticket_dropped_after_its_turn_came_hands_the_place_on() {
        let places = Arc::new(Places::new(1, 2));
        let held = admitted(&places);
        let (first, mut second) = (queued(&places), queued(&places));
        drop(held);
        drop(first);
        assert!(second.poll(Waker::noop()).is_ready());
    }

    #[test]
    fn a_ticket_dropped_while_it_waits_leaves_no_trace() {
        let places = Arc::new(Places::new(1, 2));
        let held = admitted(&places);
        drop(queued(&places));
        assert_eq!((places.in_use(), places.waiting()), (1, 0));
        drop(held);
        assert_eq!(places.in_use(), 0);
    }

    #[test]
    fn places_are_neither_lost_nor_made_under_contention() {
        let places = Arc::new(Places::new(3, 100));
        let most = Arc::new(AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (places, most) = (Arc::clone(&places), Arc::clone(&most));
                scope.spawn(move || {
                    for round in 0..2_000 {
                        let permit = match places.enter() {
                            Entry::Admitted(permit) => Some(permit),
                            Entry::Queued(ticket) if (round + thread) % 3 == 0 => {
                                drop(ticket);
                                None
                            }
                            Entry::Queued(mut ticket) => loop {
                                if let Poll::Ready(permit) = ticket.poll(Waker::noop()) {
                                    break Some(permit);
                                }
                                std::thread::yield_now();
                            },
                            Entry::Full => None,
                        };
                        most.fetch_max(u64::from(places.in_use()), Ordering::Relaxed);
                        drop(permit);
                    }
                });
            }
        });
        assert_eq!((places.in_use(), places.waiting()), (0, 0));
        assert!(most.load(Ordering::Relaxed) <= 3);
    }
}
