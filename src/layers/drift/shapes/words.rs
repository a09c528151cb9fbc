use std::collections::BTreeSet;
use std::fmt;

use super::node::Room;
use crate::redact::is_word;

/// The words that a field had, if it looks like one that has one of a few.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Empty if they are too many, or one is no word of a program.
    pub(super) known: BTreeSet<Box<str>>,
    samples: u64,
    /// Anything may stand there.
    is_open: bool,
}

impl Words {
    /// Those of a file: where it has none, anything may stand.
    pub(super) fn of(known: BTreeSet<Box<str>>) -> Self {
        Self { is_open: known.is_empty(), known, samples: 0 }
    }

    /// Adds a text. A word takes a place of its own.
    pub(super) fn see(&mut self, text: &str, room: &mut Room) {
        self.samples = self.samples.saturating_add(1);
        if self.is_open || self.known.contains(text) {
            return;
        }
        match may_be_known(text) && self.known.len() < MOST && room.take() {
            true => drop(self.known.insert(text.into())),
            false => room.give(self.open()),
        }
    }

    pub(super) fn join(&mut self, other: Self, room: &mut Room) {
        self.samples = self.samples.saturating_add(other.samples);
        let mut is_open = self.is_open || other.is_open;
        for word in other.known {
            is_open = is_open || !self.known.contains(&word) && !room.take();
            if !is_open {
                self.known.insert(word);
            }
        }
        if is_open || self.known.len() > MOST {
            room.give(self.open());
        }
    }

    /// Keeps them only if there were enough samples to tell that they are few.
    pub(super) fn settle(&mut self, least: u64) {
        if self.samples < least {
            self.open();
        }
        self.samples = 0;
    }

    /// Whether there is one that is not among `known`, if those are few.
    pub(super) fn has_news_for(&self, known: &Self) -> bool {
        let is_other = self.is_open && self.samples > 0;
        !known.known.is_empty() && (is_other || !self.known.is_subset(&known.known))
    }

    /// From now on, anything may stand there. Returns how many words there were.
    pub(super) fn open(&mut self) -> usize {
        self.is_open = true;
        std::mem::take(&mut self.known).len()
    }
}

/// Whether a text may stand in a file that a team commits: a word of a program, not a number, an id, a
/// name or a sentence.
pub(super) fn may_be_known(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && is_word(text)
}

/// They are values, and not shown.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

/// More than most lists of states have; fewer than there are currencies, countries or people.
pub(super) const MOST: usize = 20;
