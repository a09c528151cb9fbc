//! Messages that can't be opened here: they wait for their key for a time, and are parked after it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::deliver::{Delivery, Ended};
use super::input::Outcome;
use super::time::Timestamp;
use crate::rt::{self, Lock};
use crate::terms::outbox::{DeadReason, OutboxEvent};

/// The keys that don't open what they sealed: since when, and when they were last tried.
#[derive(Default)]
pub(super) struct MissingKeys(Mutex<HashMap<String, (Instant, Instant)>>);

/// What is to be done with a message of such a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// It waits, and is the first.
    First,
    Waits,
    IsLost,
}

impl MissingKeys {
    fn note(&self, key: &str, now: Instant) -> Missing {
        let mut known = self.0.locked();
        // It opened something since, or nothing was to be opened.
        known.retain(|_, (_, last)| now.saturating_duration_since(*last) < PATIENCE);
        let Some((since, last)) = known.get_mut(key) else {
            known.insert(key.to_owned(), (now, now));
            return Missing::First;
        };
        *last = now;
        match now.saturating_duration_since(*since) < PATIENCE {
            true => Missing::Waits,
            false => Missing::IsLost,
        }
    }
}

impl Delivery {
    /// It can't be opened. Its key may be here in a moment, or be known to another process: so it waits, and this process
    /// claims less. After that, a person replays it when the key is back.
    pub(super) fn sealed(&self, key: &str, now: Timestamp) -> Ended {
        let missing = self.inner.missing_keys.note(key, rt::now());
        if missing == Missing::First {
            self.lane.tell(OutboxEvent::KeyMissing);
        }
        let until = now.plus(self.inner.rng.about(AGAIN));
        let waits = missing != Missing::IsLost && !self.message.progress.is_past_deadline(until);
        let ended = match waits {
            true => {
                let gate = Some(rt::after(rt::now(), GATE));
                Ended { gate, ..self.without_call(Outcome::Snooze { until }) }
            }
            false => self.without_call(Outcome::Dead(DeadReason::Sealed)),
        };
        let error = Some(format!("it is sealed by the key {key:?}, which doesn't open it"));
        Ended { error, ..ended }
    }
}

/// How long a key may be missing: keys are fetched, and a deploy that brings them has reached all processes, in this time.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// When it is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long the lane claims nothing here: what it finds would have to wait as well.
const GATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_lost_after_a_time_and_known_again_once_it_was_not_missed_for_as_long() {
        let (keys, start) = (MissingKeys::default(), crate::rt::now());
        let at = |part: u32| keys.note("k1", start + PATIENCE / 4 * part);
        assert_eq!(
            [0, 1, 2, 3].map(at),
            [Missing::First, Missing::Waits, Missing::Waits, Missing::Waits]
        );
        assert_eq!(keys.note("k2", start + PATIENCE), Missing::First);
        assert_eq!([4, 7].map(at), [Missing::IsLost, Missing::IsLost]);
        assert_eq!([11, 12].map(at), [Missing::First, Missing::Waits]);
    }
}
