use std::collections::BTreeMap;
use std::task::Waker;

/// The calls that wait for a retry, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Line {
    next: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl Line {
    /// Takes the last place.
    pub(super) fn join(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Sets the waker for this place.
    pub(super) fn wait(&mut self, place: u64, waker: &Waker) {
        self.waiting
            .entry(place)
            .and_modify(|known| known.clone_from(waker))
            .or_insert_with(|| waker.clone());
    }

    pub(super) fn leave(&mut self, place: u64) {
        self.waiting.remove(&place);
    }

    pub(super) fn is_first(&self, place: u64) -> bool {
        self.waiting.first_key_value().is_some_and(|(first, _)| *first == place)
    }

    /// The waker of the first.
    pub(super) fn first(&self) -> Option<Waker> {
        self.waiting.first_key_value().map(|(_, waker)| waker.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}
