use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use super::config::BreakerConfig;
use crate::context::RequestHead;
use crate::event::BreakerState;
use crate::rt;

/// A breaker for each key, made when a key is first seen and forgotten when it is idle.
pub(super) struct BreakerMap {
    pub(super) key: KeyOf,
    pub(super) most: usize,
    pub(super) idle: Duration,
    known: RwLock<Known>,
}

/// The breakers, and what the next ones are made with.
struct Known {
    config: BreakerConfig,
    breakers: Breakers,
}

type Breakers = HashMap<Box<str>, Arc<Breaker>>;

pub(super) type KeyOf = Arc<dyn for<'a> Fn(&RequestHead<'a>) -> Cow<'a, str> + Send + Sync>;

impl BreakerMap {
    pub(super) fn new(key: KeyOf, most: usize, idle: Duration, config: BreakerConfig) -> Self {
        let known = Known { config, breakers: Breakers::new() };
        Self { key, most, idle, known: RwLock::new(known) }
    }

    /// The same, with none known yet.
    pub(super) fn renewed(&self, config: BreakerConfig) -> Self {
        Self::new(Arc::clone(&self.key), self.most, self.idle, config)
    }

    /// Other settings, for all that are known and for those to come.
    pub(super) fn reconfigure(&self, config: &BreakerConfig) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.config = config.clone();
        known.breakers.values().for_each(|breaker| breaker.reconfigure(config.clone()));
    }

    /// The breaker of this request's key.
    pub(super) fn of(
        &self,
        head: &RequestHead<'_>,
        make: impl FnOnce(&BreakerConfig) -> Breaker,
    ) -> Arc<Breaker> {
        let key = (self.key)(head);
        let now = rt::now();
        let breaker = self.get(&key).unwrap_or_else(|| self.insert(&key, make, now));
        breaker.touch(now);
        breaker
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<Breaker>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.breakers.get(key).cloned()
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.breakers.keys().map(ToString::to_string).collect()
    }

    pub(super) fn all(&self) -> Vec<Arc<Breaker>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.breakers.values().cloned().collect()
    }

    fn insert(
        &self,
        key: &str,
        make: impl FnOnce(&BreakerConfig) -> Breaker,
        now: Instant,
    ) -> Arc<Breaker> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Known { config, breakers } = &mut *known;
        if breakers.len() >= self.most && !breakers.contains_key(key) {
            self.evict(breakers, now);
        }
        let breaker = breakers.entry(key.into()).or_insert_with(|| Arc::new(make(config)));
        Arc::clone(breaker)
    }

    /// Forgets all that are idle, else the one that was used longest ago, closed ones first.
    fn evict(&self, breakers: &mut Breakers, now: Instant) {
        breakers.retain(|_, breaker| breaker.idle_for(now) < self.idle);
        if breakers.len() < self.most {
            return;
        }
        let rank =
            |breaker: &Breaker| (breaker.state() == BreakerState::Closed, breaker.idle_for(now));
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
