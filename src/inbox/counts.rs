use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::rt::{self, Lock};
use crate::terms::inbox::InboxErrorKind;

/// How many webhooks an inbox has seen since it was built, by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxCounts {
    /// Events that were recorded.
    pub recorded: u64,
    /// Requests for an event that was recorded already.
    pub duplicates: u64,
    /// Of these, those that had a dead event handled anew.
    pub replayed: u64,
    /// Questions of the provider's that were answered.
    pub answered: u64,
    /// Recorded events of another API version than the one expected.
    pub other_version: u64,
    /// Requests that were not accepted, by the check that failed.
    pub refused: BTreeMap<InboxErrorKind, u64>,
}

/// Counts, and tells what a person should know: each kind at most every [`PAUSE`], however many there were.
#[derive(Default)]
pub(super) struct Tally(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    counts: InboxCounts,
    told: BTreeMap<&'static str, Told>,
}

#[derive(Default)]
struct Told {
    at: Option<Instant>,
    untold: u64,
}

impl Tally {
    pub(super) fn counts(&self) -> InboxCounts {
        self.0.locked().counts.clone()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut InboxCounts)) {
        change(&mut self.0.locked().counts);
    }

    /// Whether something of this kind is to be told now, and how often it happened since it was told last.
    pub(super) fn tell(&self, what: &'static str) -> Option<u64> {
        let (mut inner, now) = (self.0.locked(), rt::now());
        let told = inner.told.entry(what).or_default();
        told.untold += 1;
        if told.at.is_some_and(|at| now.saturating_duration_since(at) < PAUSE) {
            return None;
        }
        told.at = Some(now);
        Some(std::mem::take(&mut told.untold))
    }
}

/// Anybody may send to a public URL: what they send must not fill the log.
const PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_kind_is_told_at_once_and_then_every_ten_seconds_with_its_count() {
        let tally = Tally::default();
        assert_eq!(tally.tell("signature"), Some(1));
        assert_eq!((0..99).filter_map(|_| tally.tell("signature")).count(), 0);
        assert_eq!(tally.tell("too_old"), Some(1));
        tokio::time::advance(PAUSE).await;
        assert_eq!(tally.tell("signature"), Some(100));
    }
}
