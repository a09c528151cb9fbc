use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use crate::context::RequestHead;
use crate::event::BreakerState;
use crate::rt;

/// A breaker for each key, made when a key is first seen and forgotten when it is idle.
pub(super) struct BreakerMap {
    pub(super) key: KeyOf,
    pub(super) most: usize,
    pub(super) idle: Duration,
    breakers: RwLock<HashMap<Box<str>, Arc<Breaker>>>,
}

pub(super) type KeyOf = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync>;

impl BreakerMap {
    pub(super) fn new(key: KeyOf, most: usize, idle: Duration) -> Self {
        Self { key, most, idle, breakers: RwLock::default() }
    }

    /// The breaker of this request's key.
    pub(super) fn of(
        &self,
        head: &RequestHead<'_>,
        make: impl FnOnce() -> Breaker,
    ) -> Arc<Breaker> {
        let key = (self.key)(head);
        let now = rt::now();
        let breaker = self.get(&key).unwrap_or_else(|| self.insert(&key, make(), now));
        breaker.touch(now);
        breaker
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<Breaker>> {
        self.breakers.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let breakers = self.breakers.read().unwrap_or_else(PoisonError::into_inner);
        breakers.keys().map(ToString::to_string).collect()
    }

    pub(super) fn all(&self) -> Vec<Arc<Breaker>> {
        let breakers = self.breakers.read().unwrap_or_else(PoisonError::into_inner);
        breakers.values().cloned().collect()
    }

    fn insert(&self, key: &str, made: Breaker, now: Instant) -> Arc<Breaker> {
        let mut breakers = self.breakers.write().unwrap_or_else(PoisonError::into_inner);
        if breakers.len() >= self.most && !breakers.contains_key(key) {
            self.evict(&mut breakers, now);
        }
        let breaker = breakers.entry(key.into()).or_insert_with(|| Arc::new(made));
        Arc::clone(breaker)
    }

    /// Forgets all that are idle, else the one that was used longest ago, closed ones first.
    fn evict(&self, breakers: &mut HashMap<Box<str>, Arc<Breaker>>, now: Instant) {
        breakers.retain(|_, breaker| breaker.idle_for(now) < self.idle);
        if breakers.len() < self.most {
            return;
        }
        let rank = |breaker: &Breaker| {
            (breaker.machine.state() == BreakerState::Closed, breaker.idle_for(now))
        };
        let oldest = breakers.iter().max_by_key(|(_, breaker)| rank(breaker));
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            breakers.remove(&key);
        }
    }
}

impl fmt::Debug for BreakerMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerMap").field("most", &self.most).finish_non_exhaustive()
    }
}
