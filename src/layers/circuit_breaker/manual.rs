//! What a handle reads and changes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::config::{BreakerConfig, Mode};
use super::shared::{Effects, Inner, Settings, SharedBreaker};
use super::state::Forced;
use super::window::{Counts, Window};
use crate::rt::Rng;
use crate::terms::BreakerState;

impl SharedBreaker {
    pub(super) fn count_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    pub(super) fn abandoned(&self) -> u64 {
        self.abandoned.load(Ordering::Relaxed)
    }

    pub(super) fn manual_changes(&self) -> u64 {
        self.manual_changes.load(Ordering::Relaxed)
    }

    pub(super) fn counts(&self, now: Instant) -> Counts {
        self.settings().window.counts(self.since_epoch(now))
    }

    pub(super) fn forced(&self) -> Forced {
        self.inner().machine.forced()
    }

    pub(super) fn mode(&self) -> Mode {
        self.inner().mode(&self.settings())
    }

    /// The state as callers see it.
    pub(super) fn state(&self, now: Instant) -> BreakerState {
        let settings = self.settings();
        self.inner().machine.state(&settings.config, now)
    }

    /// How long it hasn't been closed, as callers see it.
    pub(super) fn not_closed_for(&self, now: Instant) -> Option<Duration> {
        self.inner().machine.not_closed_for(now)
    }

    /// Whether it refuses calls because no probe has succeeded.
    pub(super) fn is_down(&self, now: Instant) -> bool {
        let (settings, inner) = (self.settings(), self.inner());
        let acts = inner.mode(&settings) == Mode::Enforce;
        acts && inner.machine.is_down(&settings.config, now)
    }

    /// Whether it is open because of what it saw itself.
    #[cfg(feature = "fleet")]
    pub(super) fn has_found_outage(&self, now: Instant) -> bool {
        let settings = self.settings();
        self.inner().machine.has_found_outage(&settings.config, now)
    }

    /// Whether a call that has just failed should not be retried: the retry would be refused, or so
    /// many attempts have failed in a row that it would most likely fail too.
    pub(super) fn discourages_retry(&self) -> bool {
        let settings = self.settings();
        let failed = self.consecutive.length();
        let is_limit_reached =
            settings.config.consecutive_limit().is_some_and(|limit| failed >= limit);
        if !is_limit_reached && self.admits_all() {
            return false;
        }
        let inner = self.inner();
        let acts =
            inner.mode(&settings) == Mode::Enforce && inner.machine.forced() != Forced::Closed;
        acts && (is_limit_reached || inner.machine.is_open())
    }

    pub(super) fn force(&self, forced: Forced, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, settings| {
            if inner.machine.forced() != forced {
                inner.machine.force(forced, now);
                self.next_generation(inner, &settings.config);
            }
            if forced == Forced::No {
                inner.mode = None;
            }
        })
    }

    /// Opens until `time` has passed.
    pub(super) fn open_manually(&self, time: Duration, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, settings| {
            inner.machine.force(Forced::No, now);
            inner.machine.open_manually(time, settings.config.open_time(0, rng), now);
            self.next_generation(inner, &settings.config);
        })
    }

    /// Closes, and clears all results.
    pub(super) fn reset(&self, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, settings| {
            let held = !inner.held.is_empty();
            inner.machine.reset(held, now);
            self.clear_results(inner, settings);
        })
    }

    pub(super) fn set_mode(&self, mode: Mode, now: Instant, rng: &Rng) -> Effects {
        self.change(now, rng, |inner, _| inner.mode = Some(mode))
    }

    fn change(
        &self,
        now: Instant,
        rng: &Rng,
        change: impl FnOnce(&mut Inner, &Settings),
    ) -> Effects {
        let (settings, mut effects) = (self.settings(), Effects::default());
        self.manual_changes.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.inner();
        change(&mut inner, &settings);
        self.finish(&mut inner, &settings, now, rng, &mut effects);
        effects
    }

    /// Applies other settings. The state is kept, and so are the results if the window is the same.
    pub(super) fn reconfigure(&self, config: BreakerConfig, now: Instant, rng: &Rng) -> Effects {
        let mut effects = Effects::default();
        let mut inner = self.inner();
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        let before = &settings.config;
        let window = match before.window == config.window {
            true => Arc::clone(&settings.window),
            false => {
                self.consecutive.clear();
                Arc::new(Window::new(config.window))
            }
        };
        if (before.probes, before.probe_successes) != (config.probes, config.probe_successes) {
            inner.machine.recount(config.probes);
        }
        *settings = Arc::new(Settings { config, window });
        let settings_now = Arc::clone(&settings);
        drop(settings);
        self.finish(&mut inner, &settings_now, now, rng, &mut effects);
        effects
    }
}
