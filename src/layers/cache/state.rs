use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::key::CacheKey;
use super::pause::{Pause, is_before};
use crate::freshness::Failure;

/// What is under way for each key, and what is remembered of the last times.
///
/// A key has a place here only while there is something to know about it.
#[derive(Debug)]
pub(super) struct KeyTable<F> {
    keys: HashMap<CacheKey, KeyState<F>>,
    /// When room was last made among too many keys.
    swept: Option<Instant>,
}

#[derive(Debug)]
struct KeyState<F> {
    /// The fill that others may wait for.
    fill: Option<F>,
    /// While it lasts, the provider isn't asked if there is a stale answer.
    failures: Pause,
    /// How the last fetch failed.
    failure: Failure,
    /// While it lasts, no background refresh begins: the last one was refused before it was sent. Calls go.
    refusals: Pause,
    /// Until then every call fetches its own: the last answer could not be shared.
    alone_until: Option<Instant>,
}

/// What a call that needs the provider's answer does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<F> {
    /// It begins the fill that others may wait for.
    Lead(F),
    /// It waits for this fill.
    Follow(F),
    /// It fetches its own.
    Alone,
}

impl<F: Clone + PartialEq> KeyTable<F> {
    /// A call needs this key's answer: it joins the fill that runs, unless that gives way, or begins one.
    pub(super) fn join(
        &mut self,
        key: &CacheKey,
        now: Instant,
        new: impl FnOnce() -> F,
        gives_way: impl FnOnce(&F) -> bool,
    ) -> Turn<F> {
        let known = self.keys.get(key);
        let fill = known.and_then(|known| known.fill.as_ref());
        if let Some(fill) = fill.filter(|fill| !gives_way(fill)) {
            return Turn::Follow(fill.clone());
        }
        if known.is_some_and(|known| is_before(now, known.alone_until)) {
            return Turn::Alone;
        }
        match self.place(key, now) {
            Some(place) => Turn::Lead(place.fill.insert(new()).clone()),
            None => Turn::Alone,
        }
    }

    /// A background refresh begins, unless one runs, or the last one was refused or has failed a moment ago.
    pub(super) fn begin_refresh(
        &mut self,
        key: &CacheKey,
        now: Instant,
        new: impl FnOnce() -> F,
    ) -> Option<F> {
        let is_too_soon = |known: &KeyState<F>| {
            known.fill.is_some() || known.failures.lasts(now) || known.refusals.lasts(now)
        };
        if self.keys.get(key).is_some_and(is_too_soon) {
            return None;
        }
        Some(self.place(key, now)?.fill.insert(new()).clone())
    }

    /// How the last fetch failed, if that was so recently that the provider isn't asked again.
    pub(super) fn quiet(&self, key: &CacheKey, now: Instant) -> Option<Failure> {
        let known = self.keys.get(key).filter(|known| known.failures.lasts(now))?;
        Some(known.failure)
    }

    /// How many keys' last fetches have failed within ten minutes.
    pub(super) fn failing(&self, now: Instant) -> usize {
        self.keys.values().filter(|known| known.failures.is_recent(now)).count()
    }

    /// A fill has ended.
    pub(super) fn end(&mut self, key: &CacheKey, fill: &F) {
        if let Some(known) = self.keys.get_mut(key) {
            known.fill = known.fill.take().filter(|running| running != fill);
            if known.is_forgettable() {
                self.keys.remove(key);
            }
        }
    }

    /// A fetch that began at `began` failed: the provider is asked again after a [`Pause`].
    pub(super) fn failed(
        &mut self,
        key: &CacheKey,
        (began, now): (Instant, Instant),
        of: Failure,
        share: f64,
    ) {
        let Some(known) = self.place(key, now) else { return };
        known.failure = of;
        known.failures.lengthen(began, now, share);
    }

    /// A background refresh was refused before it was sent, which says nothing about the provider: the next one
    /// begins after a time as long as that after a failure.
    pub(super) fn refused(&mut self, key: &CacheKey, now: Instant, share: f64) {
        if let Some(known) = self.place(key, now) {
            known.refusals.lengthen(now, now, share);
        }
    }

    /// A fetch was answered.
    pub(super) fn answered(&mut self, key: &CacheKey) {
        if let Some(known) = self.keys.get_mut(key) {
            (known.failures, known.refusals) = (Pause::default(), Pause::default());
        }
    }

    /// An answer could not be shared: for a while, calls don't wait for each other.
    pub(super) fn not_shared(&mut self, key: &CacheKey, now: Instant) {
        if let Some(known) = self.place(key, now) {
            known.alone_until = Some(now + ALONE_FOR);
        }
    }

    /// The key's place, unless too many are in use.
    fn place(&mut self, key: &CacheKey, now: Instant) -> Option<&mut KeyState<F>> {
        if self.keys.len() >= MOST_KEYS && !self.keys.contains_key(key) {
            if !is_before(now, self.swept.map(|swept| swept + SWEEP_EVERY)) {
                self.swept = Some(now);
                self.keys.retain(|_, known| known.is_in_use(now));
            }
            if self.keys.len() >= MOST_KEYS {
                return None;
            }
        }
        Some(self.keys.entry(key.clone()).or_default())
    }
}

impl<F> KeyState<F> {
    fn is_forgettable(&self) -> bool {
        let has_paused = self.failures.is_known() || self.refusals.is_known();
        self.fill.is_none() && !has_paused && self.alone_until.is_none()
    }

    fn is_in_use(&self, now: Instant) -> bool {
        let is_paused = self.failures.lasts(now) || self.refusals.lasts(now);
        self.fill.is_some() || is_paused || is_before(now, self.alone_until)
    }
}

impl<F> Default for KeyTable<F> {
    fn default() -> Self {
        Self { keys: HashMap::new(), swept: None }
    }
}

impl<F> Default for KeyState<F> {
    fn default() -> Self {
        let (failures, refusals) = (Pause::default(), Pause::default());
        Self { fill: None, failures, failure: Failure::default(), refusals, alone_until: None }
    }
}

/// Long enough that calls for personal answers don't queue one after the other, and short enough for a key
/// that was answered so by chance.
const ALONE_FOR: Duration = Duration::from_secs(60);
/// To look at all keys takes about a millisecond, in which no other call gets on.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Of each a few hundred bytes.
const MOST_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::cache::pause::FIRST_QUIET;

    fn key() -> CacheKey {
        CacheKey::in_partition("", "http://rates.test/eur")
    }

    fn stays(_: &u8) -> bool {
        false
    }

    #[test]
    fn one_leads_and_the_others_follow_until_it_ends() {
        let (mut keys, key, now) = (KeyTable::default(), key(), crate::rt::now());
        assert_eq!(keys.join(&key, now, || 1, stays), Turn::Lead(1));
        assert_eq!(keys.join(&key, now, || 2, stays), Turn::Follow(1));
        assert_eq!(keys.begin_refresh(&key, now, || 3), None);
        keys.end(&key, &2);
        assert_eq!(keys.join(&key, now, || 4, stays), Turn::Follow(1), "another one has ended");
        keys.end(&key, &1);
        assert!(keys.keys.is_empty(), "nothing is known of it any more");
        assert_eq!(keys.begin_refresh(&key, now, || 5), Some(5));
    }

    #[test]
    fn a_provider_that_fails_is_left_in_peace_for_longer_each_time_up_to_half_a_minute() {
        let (mut keys, key, mut now) = (KeyTable::<u8>::default(), key(), crate::rt::now());
        let milli = Duration::from_millis(1);
        for (failure, quiet) in [1, 2, 4, 8, 16, 30, 30, 30].into_iter().enumerate() {
            let began = now;
            now += milli;
            // Many that run at a time are one.
            for _ in 0..20 {
                keys.failed(&key, (began, now), Failure::ANY, 1.0);
            }
            now += Duration::from_secs(quiet);
            assert!(keys.quiet(&key, now - milli).is_some(), "{failure}");
            assert!(keys.quiet(&key, now).is_none(), "{failure}");
            keys.failed(&key, (began, now), Failure::ANY, 1.0);
            now += Duration::from_secs(quiet);
            assert!(keys.quiet(&key, now).is_none(), "one that began before is no further one");
            now += milli;
        }
        keys.failed(&key, (now, now), Failure::ANY, 0.0);
        assert!(keys.quiet(&key, now).is_some(), "not at once, whatever is drawn");
        assert_eq!(keys.failing(now + Duration::from_secs(599)), 1);
        assert_eq!(keys.failing(now + Duration::from_secs(601)), 0, "nobody asks for it any more");
        keys.answered(&key);
        assert!(keys.quiet(&key, now).is_none() && keys.failing(now) == 0);
    }

    #[test]
    fn calls_do_not_wait_for_each_other_after_an_answer_that_was_not_shared() {
        let (mut keys, key, now) = (KeyTable::default(), key(), crate::rt::now());
        keys.not_shared(&key, now);
        assert_eq!(keys.join(&key, now + ALONE_FOR / 2, || 1, stays), Turn::Alone);
        assert_eq!(keys.join(&key, now + ALONE_FOR, || 1, stays), Turn::Lead(1));
    }

    #[test]
    fn a_refresh_that_was_refused_keeps_the_next_refresh_waiting_and_no_call() {
        let (mut keys, key, now) = (KeyTable::default(), key(), crate::rt::now());
        assert_eq!(keys.begin_refresh(&key, now, || 1), Some(1));
        assert_eq!(keys.join(&key, now, || 2, |_| true), Turn::Lead(2), "it gives way");
        keys.end(&key, &1);
        assert_eq!(keys.join(&key, now, || 3, stays), Turn::Follow(2));
        keys.end(&key, &2);
        keys.refused(&key, now, 1.0);
        assert_eq!(keys.begin_refresh(&key, now + FIRST_QUIET / 2, || 4), None);
        assert!(keys.quiet(&key, now).is_none() && keys.failing(now) == 0);
        assert_eq!(keys.begin_refresh(&key, now + FIRST_QUIET, || 5), Some(5));
    }

    #[test]
    fn what_is_known_of_keys_is_bounded() {
        let (mut keys, now) = (KeyTable::<u8>::default(), crate::rt::now());
        let numbered =
            |number: usize| CacheKey::in_partition("", &format!("http://rates.test/{number}"));
        for number in 0..MOST_KEYS + 10 {
            keys.not_shared(&numbered(number), now);
        }
        assert_eq!(keys.keys.len(), MOST_KEYS);
        assert_eq!(
            keys.join(&numbered(MOST_KEYS), now, || 1, stays),
            Turn::Alone,
            "there is no place"
        );
        let half = Duration::from_millis(500);
        keys.join(&numbered(MOST_KEYS), now + ALONE_FOR - half, || 1, stays);
        let soon = keys.join(&numbered(MOST_KEYS), now + ALONE_FOR, || 1, stays);
        assert_eq!(soon, Turn::Alone, "all keys are looked at once a second");
        assert_eq!(
            keys.join(&numbered(MOST_KEYS), now + ALONE_FOR + half, || 1, stays),
            Turn::Lead(1)
        );
        assert_eq!(keys.keys.len(), 1, "what is over was forgotten");
    }
}
