use std::collections::BTreeSet;
use std::fmt;

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
    /// Those of a file.
    pub(super) fn of(known: BTreeSet<Box<str>>) -> Self {
        Self { known, samples: 0, is_open: false }
    }

    pub(super) fn see(&mut self, text: &str) {
        self.samples = self.samples.saturating_add(1);
        if self.is_open || self.known.contains(text) {
            return;
        }
        match may_be_known(text) && self.known.len() < MOST {
            true => drop(self.known.insert(text.into())),
            false => self.open(),
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.samples = self.samples.saturating_add(other.samples);
        self.known.extend(other.known);
        if self.is_open || other.is_open || self.known.len() > MOST {
            self.open();
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

    fn open(&mut self) {
        self.is_open = true;
        self.known.clear();
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
