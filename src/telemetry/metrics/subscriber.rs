use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::metrics::Recorder;

use super::bounded::Known;
use super::facade::Facade;
use super::gauges::{self, Gauge};
use super::note::Note;
use super::observing::Observing;
use crate::control::Registry;
use crate::event::{Event, Origin, Subscriber};

/// Makes metrics of events and of health. See the [module](super).
///
/// Clones are of the same one: make it once, and give a clone to each integration.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    to: Facade,
    known: Known,
    /// What was shown of each registry when it was last looked at.
    shown: Mutex<Vec<(Registry, HashSet<Gauge>)>>,
}

impl Metrics {
    /// Metrics that go to the recorder that is installed, which is where they are described:
    /// install it first.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Facade::installed())
    }

    /// Metrics that go to a recorder of their own, whatever is installed.
    pub fn recorded_by(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::over(Facade::own(recorder))
    }

    fn over(to: Facade) -> Self {
        Self(Arc::new(Inner { to, known: Known::default(), shown: Mutex::default() }))
    }

    /// Sets all gauges to how the integrations are now: call it before each scrape.
    ///
    /// What is gone (an integration that was dropped, a breaker that was switched off) is set to
    /// zero. Of two integrations with one name, numbers are added up and the longest times shown.
    pub fn observe(&self, registry: &Registry) {
        let now = gauges::of(&registry.health());
        let gone = self.0.replace(registry, now.keys().cloned().collect());
        for ((metric, labels), value) in now {
            self.0.to.put(metric, labels, value);
        }
        for (metric, labels) in gone {
            self.0.to.put(metric, labels, 0.0);
        }
    }

    /// Observes the registry now and then again every so often, for exporters that push.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn observe_every(&self, registry: &Registry, interval: Duration) -> Observing {
        Observing::begin(self.clone(), registry.clone(), interval)
    }
}

impl Inner {
    /// What was shown the last time and isn't any more.
    fn replace(&self, registry: &Registry, now: HashSet<Gauge>) -> Vec<Gauge> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, before)) = shown.iter_mut().find(|(known, _)| known == registry) else {
            shown.push((registry.clone(), now));
            return Vec::new();
        };
        let gone = before.difference(&now).cloned().collect();
        *before = now;
        gone
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Subscriber for Metrics {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let seen = self.0.known.integration(origin.integration().unwrap_or_default());
        Note { to: &self.0.to, seen, origin }.take(event);
    }
}
