use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells changes of entries that overlap one that drops answers: an entry that was read before must not bring
/// back what was dropped meanwhile. A lock would be held over the user's store.
#[derive(Debug, Default)]
pub(super) struct Overlap {
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A change of an entry, from before it is read.
#[derive(Debug)]
pub(super) struct Change<'a> {
    overlap: &'a Overlap,
    /// How many drops had begun, this one included.
    begun: u64,
    is_drop: bool,
    /// No other drop was under way.
    was_alone: bool,
}

impl Overlap {
    /// An answer is added.
    pub(super) fn begin(&self) -> Change<'_> {
        // In this order: a drop that begins in between counts as under way.
        let ended = self.ended.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        Change { overlap: self, begun, is_drop: false, was_alone: begun == ended }
    }

    /// Answers are dropped.
    pub(super) fn begin_drop(&self) -> Change<'_> {
        let ended = self.ended.load(Ordering::SeqCst);
        let before = self.begun.fetch_add(1, Ordering::SeqCst);
        Change { overlap: self, begun: before + 1, is_drop: true, was_alone: before == ended }
    }
}

impl Change<'_> {
    /// Whether no other change has dropped anything since it began.
    pub(super) fn is_alone(&self) -> bool {
        self.was_alone && self.overlap.begun.load(Ordering::SeqCst) == self.begun
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if self.is_drop {
            self.overlap.ended.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The part of all URIs to which this one belongs.
pub(super) fn part_of(uri: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    uri.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
}

/// So many that an unrelated write rarely keeps an answer from being stored.
pub(super) const PARTS: usize = 64;
