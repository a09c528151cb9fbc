//! Calls that wait until the provider answers again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::state::{Asker, Ticket};
use crate::rt;

/// Those who wait, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Hold {
    waiting: BTreeMap<u64, Arc<Waiter>>,
    /// Those among them who may be repeated without harm, and try the provider first; the others.
    safe: BTreeSet<u64>,
    others: BTreeSet<u64>,
    /// How many ever waited.
    places: u64,
    /// A task looks after them, and when it looks next.
    pub(super) is_watched: bool,
    pub(super) next_look: Option<Instant>,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    place: u64,
    pub(super) asker: Asker,
    slot: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    waker: Option<Waker>,
    ticket: Option<Ticket>,
}

impl Hold {
    pub(super) fn join(&mut self, asker: Asker) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter { place: self.places, asker, slot: Mutex::default() });
        self.places += 1;
        match asker {
            Asker::Safe => self.safe.insert(waiter.place),
            Asker::Unsafe => self.others.insert(waiter.place),
        };
        self.waiting.insert(waiter.place, Arc::clone(&waiter));
        waiter
    }

    /// Whether somebody must begin to look after them: nobody does, or who did is on a runtime that
    /// rests.
    pub(super) fn must_watch(&mut self, now: Instant) -> bool {
        let is_late = self.next_look.is_some_and(|next| now > rt::after(next, LATE));
        let must = !self.is_watched || is_late;
        if must {
            (self.is_watched, self.next_look) = (true, None);
        }
        must
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Who would try the provider next.
    pub(super) fn next_probe(&self, is_unsafe_turn: bool) -> Option<Arc<Waiter>> {
        let (first, then) = match is_unsafe_turn {
            true => (&self.others, &self.safe),
            false => (&self.safe, &self.others),
        };
        let place = first.first().or(then.first())?;
        self.waiting.get(place).cloned()
    }

    pub(super) fn first(&self) -> Option<Arc<Waiter>> {
        self.waiting.first_key_value().map(|(_, waiter)| Arc::clone(waiter))
    }

    /// Takes one out; false if it was out already.
    pub(super) fn remove(&mut self, waiter: &Waiter) -> bool {
        self.safe.remove(&waiter.place);
        self.others.remove(&waiter.place);
        self.waiting.remove(&waiter.place).is_some()
    }
}

/// A busy runtime is no later than that.
const LATE: Duration = Duration::from_secs(1);

impl Waiter {
    /// It may go; whoever waits for that is to be woken once no lock is held.
    pub(super) fn grant(&self, ticket: Ticket) -> Option<Waker> {
        let mut slot = self.slot();
        slot.ticket = Some(ticket);
        slot.waker.take()
    }

    pub(super) fn poll(&self, waker: &Waker) -> Poll<Ticket> {
        let mut slot = self.slot();
        if let Some(ticket) = slot.ticket.take() {
            return Poll::Ready(ticket);
        }
        if !slot.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            slot.waker = Some(waker.clone());
        }
        Poll::Pending
    }

    /// The ticket that was given and hasn't been used.
    pub(super) fn take(&self) -> Option<Ticket> {
        self.slot().ticket.take()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
