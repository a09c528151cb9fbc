use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "fleet")]
use std::time::Instant;

use super::breaker::Breaker;
use super::config::Mode;
use super::keyed::BreakerMap;
use super::state::Forced;
use super::window::Counts;
use crate::rt;
use crate::terms::BreakerState;

/// Reads a circuit breaker and overrides it. Of a [disabled](super::CircuitBreakerLayer::disabled)
/// layer it is always closed, and overriding it does nothing.
///
/// ```
/// use std::time::Duration;
/// use outrigger::circuit_breaker::CircuitBreakerLayer;
/// use outrigger::event::BreakerState;
///
/// let breaker = CircuitBreakerLayer::new();
/// let handle = breaker.handle();
///
/// // The provider announced an hour of maintenance: after it, the next call tries it.
/// handle.force_open_for(Duration::from_secs(3_600));
/// assert_eq!(handle.state(), BreakerState::Open);
///
/// // It was back sooner.
/// handle.reset();
/// assert_eq!(handle.state(), BreakerState::Closed);
/// ```
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
    /// Calls that wait just now until the provider answers again.
    pub held: usize,
}

impl BreakerHandle {
    pub(super) fn new(breaker: Option<Arc<Breaker>>) -> Self {
        Self(breaker)
    }

    /// The state as callers see it; a disabled breaker is closed.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.0.as_ref().map_or(BreakerState::Closed, |breaker| breaker.state())
    }

    /// For how long it has not been closed; `None` while it is. Outages less than ten seconds apart
    /// are one.
    #[must_use]
    pub fn open_for(&self) -> Option<Duration> {
        self.0.as_ref()?.shared.not_closed_for(rt::now())
    }

    /// What the window holds, and what was counted since the breaker was made.
    #[must_use]
    pub fn counts(&self) -> BreakerCounts {
        let Some(breaker) = &self.0 else {
            return BreakerCounts::default();
        };
        let Counts { total, failed, slow } = breaker.shared.counts(rt::now());
        let (rejected, abandoned) = (breaker.shared.rejected(), breaker.shared.abandoned());
        let held = breaker.shared.held();
        BreakerCounts { calls: total, failed, slow, rejected, abandoned, held }
    }

    /// The state that it was forced into, if it was.
    #[must_use]
    pub fn forced(&self) -> Option<BreakerState> {
        match self.0.as_ref()?.shared.forced() {
            Forced::No => None,
            Forced::Open => Some(BreakerState::Open),
            Forced::Closed => Some(BreakerState::Closed),
        }
    }

    /// Whether there is a breaker at all.
    pub(crate) fn exists(&self) -> bool {
        self.0.is_some()
    }

    /// How often a handle changed it.
    pub(crate) fn manual_changes(&self) -> u64 {
        self.0.as_ref().map_or(0, |breaker| breaker.shared.manual_changes())
    }

    /// Whether it refuses calls because no probe has succeeded.
    pub(crate) fn is_down(&self) -> bool {
        self.0.as_ref().is_some_and(|breaker| breaker.shared.is_down(rt::now()))
    }

    /// Whether it is open because of what it saw itself: not by a person's hand, and not yet if a hint was
    /// needed for it.
    #[cfg(feature = "fleet")]
    pub(crate) fn has_found_outage(&self) -> bool {
        self.0.as_ref().is_some_and(|breaker| breaker.shared.has_found_outage(rt::now()))
    }

    /// Most other instances have found that nothing answers. Until then, or until the next success here,
    /// fewer failures open it.
    #[cfg(feature = "fleet")]
    pub(crate) fn hint(&self, until: Instant) {
        self.with(|breaker| breaker.shared.consecutive.hint(until));
    }

    /// Whether such a hint holds.
    pub(crate) fn is_hinted(&self) -> bool {
        self.0.as_ref().is_some_and(|breaker| breaker.shared.consecutive.is_hinted(rt::now()))
    }

    /// Whether it acts on what it finds or only reports it; a disabled one does neither.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.0.as_ref().map_or(Mode::Enforce, |breaker| breaker.shared.mode())
    }

    /// Refuses every call until [`release`](Self::release) or another order, whatever results say.
    pub fn force_open(&self) {
        self.force(Forced::Open);
    }

    /// Lets every call through until [`release`](Self::release) or another order, whatever results
    /// say.
    pub fn force_closed(&self) {
        self.force(Forced::Closed);
    }

    /// Opens it until so much time has passed: then calls try the provider, and the first that
    /// succeeds closes it.
    pub fn force_open_for(&self, time: Duration) {
        self.with(|breaker| breaker.open_manually(time));
    }

    /// Opens it, and lets the next call try the provider.
    pub fn force_half_open(&self) {
        self.with(|breaker| breaker.open_manually(Duration::ZERO));
    }

    /// Closes it, and forgets all results and what it was forced into.
    pub fn reset(&self) {
        self.with(Breaker::reset);
    }

    /// From now on it only tells what it would have refused, whatever the settings say.
    pub fn report_only(&self) {
        self.with(|breaker| breaker.override_mode(Mode::ReportOnly));
    }

    /// From now on it acts on what it finds, whatever the settings say.
    pub fn enforce(&self) {
        self.with(|breaker| breaker.override_mode(Mode::Enforce));
    }

    /// Goes back to what the results and the settings say.
    pub fn release(&self) {
        self.force(Forced::No);
    }

    fn force(&self, forced: Forced) {
        self.with(|breaker| breaker.force(forced));
    }

    fn with(&self, act: impl FnOnce(&Breaker)) {
        if let Some(breaker) = &self.0 {
            act(breaker);
        }
    }
}

impl KeyedBreakers {
    pub(super) fn new(map: Arc<BreakerMap>) -> Self {
        Self(map)
    }

    /// The keys that have a breaker just now, in no order; those that were idle for long may be
    /// gone.
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
        let is_open = |breaker: &&Arc<Breaker>| breaker.state() != BreakerState::Closed;
        (breakers.len(), breakers.iter().filter(is_open).count())
    }
}
