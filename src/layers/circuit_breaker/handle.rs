use std::sync::Arc;
use std::time::Duration;

use super::breaker::Breaker;
use super::keyed::BreakerMap;
use super::state::Forced;
use super::window::Sums;
use crate::event::BreakerState;
use crate::rt;

/// Reads a circuit breaker and overrides it.
#[derive(Clone, Debug)]
pub struct BreakerHandle(Option<Arc<Breaker>>);

/// Reads the circuit breakers of a layer that keeps one for each key.
#[derive(Clone, Debug)]
pub struct KeyedBreakers(Arc<BreakerMap>);

/// What a circuit breaker's window holds, and what it did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerCounts {
    /// Results in the window.
    pub calls: u32,
    /// Failures among them.
    pub failed: u32,
    /// Slow calls among them.
    pub slow: u32,
    /// Calls refused since the breaker was made.
    pub rejected: u64,
    /// Calls whose callers went away since the breaker was made.
    pub abandoned: u64,
}

impl BreakerHandle {
    pub(super) fn new(breaker: Option<Arc<Breaker>>) -> Self {
        Self(breaker)
    }

    /// The state as callers see it; a disabled breaker is closed.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.0.as_ref().map_or(BreakerState::Closed, |breaker| breaker.machine.state())
    }

    /// For how long it has not been closed.
    #[must_use]
    pub fn open_for(&self) -> Option<Duration> {
        self.0.as_ref()?.machine.not_closed_for(rt::now())
    }

    /// The counts.
    #[must_use]
    pub fn counts(&self) -> BreakerCounts {
        let Some(breaker) = &self.0 else {
            return BreakerCounts::default();
        };
        let Sums { total, failed, slow } = breaker.machine.sums(rt::now());
        let (rejected, abandoned) = (breaker.machine.rejected(), breaker.machine.abandoned());
        BreakerCounts { calls: total, failed, slow, rejected, abandoned }
    }

    /// The state that it was forced into, if it was.
    #[must_use]
    pub fn forced(&self) -> Option<BreakerState> {
        match self.0.as_ref()?.machine.forced() {
            Forced::No => None,
            Forced::Open => Some(BreakerState::Open),
            Forced::Closed => Some(BreakerState::Closed),
        }
    }

    /// Whether there is a breaker at all.
    pub(crate) fn exists(&self) -> bool {
        self.0.is_some()
    }

    /// How often it was forced or released, by whomever.
    pub(crate) fn forcings(&self) -> u64 {
        self.0.as_ref().map_or(0, |breaker| breaker.machine.forcings())
    }

    /// Whether it refuses all calls just now.
    pub(crate) fn is_shut(&self) -> bool {
        self.0.as_ref().is_some_and(|breaker| breaker.machine.is_shut())
    }

    /// Refuses every call until told otherwise.
    pub fn force_open(&self) {
        self.force(Forced::Open);
    }

    /// Lets every call through until told otherwise.
    pub fn force_closed(&self) {
        self.force(Forced::Closed);
    }

    /// Goes back to what the results say.
    pub fn release(&self) {
        self.force(Forced::No);
    }

    fn force(&self, forced: Forced) {
        if let Some(breaker) = &self.0 {
            breaker.force(forced);
        }
    }
}

impl KeyedBreakers {
    pub(super) fn new(map: Arc<BreakerMap>) -> Self {
        Self(map)
    }

    /// The keys that have a breaker just now.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.0.keys()
    }

    /// The breaker of one key, if the key was seen.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<BreakerHandle> {
        Some(BreakerHandle::new(Some(self.0.get(key)?)))
    }

    /// How many keys have a breaker, and how many of those aren't closed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let breakers = self.0.all();
        let is_open = |breaker: &&Arc<Breaker>| breaker.machine.state() != BreakerState::Closed;
        (breakers.len(), breakers.iter().filter(is_open).count())
    }
}
