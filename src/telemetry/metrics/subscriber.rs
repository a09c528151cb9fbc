use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bounded::KnownIntegrations;
use super::gauges::{self, Gauge};
#[cfg(feature = "outbox")]
use super::labels::Text;
#[cfg(feature = "outbox")]
use super::names::{self, Metric};
use super::observing::Observing;
use super::sink::Sink;
use super::visitor::MetricsVisitor;
use crate::control::{Registry, WeakRegistry};
use crate::event::{Event, Origin, Subscriber};
use crate::rt::Lock;

/// Makes metrics of events and of health. See the [module](super).
///
/// Clones share their state: make it once, and give a clone to a [`Registry`], or to each integration.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    to: Box<dyn Sink>,
    known: KnownIntegrations,
    /// The gauges of each registry that were set last.
    shown: Mutex<Vec<(WeakRegistry, HashSet<Gauge>)>>,
}

impl Metrics {
    pub(super) fn over(to: impl Sink + 'static) -> Self {
        let to = Box::new(to);
        Self(Arc::new(Inner { to, known: KnownIntegrations::default(), shown: Mutex::default() }))
    }

    /// Sets all gauges to how the integrations are now: call it before each scrape.
    ///
    /// Gauges that no longer exist (an integration was dropped, a breaker switched off) are set to
    /// zero. For two integrations with one name, numbers are added up and the longest times are
    /// shown.
    pub fn observe(&self, registry: &Registry) {
        let now = gauges::of(&registry.health());
        let gone = self.0.replace(registry, now.keys().cloned().collect());
        for ((metric, labels), value) in now {
            self.0.to.record(metric, labels, value);
        }
        for (metric, labels) in gone {
            self.0.to.record(metric, labels, 0.0);
        }
    }

    /// Sets a gauge of an outbox's lane.
    #[cfg(feature = "outbox")]
    pub(crate) fn record_lane(
        &self,
        metric: &'static Metric,
        (integration, lane): (&str, &str),
        more: Option<(&'static str, &'static str)>,
        value: f64,
    ) {
        let named = [(names::INTEGRATION, integration), (names::LANE, lane)];
        let named = named.map(|(label, name)| (label, Text::from(Arc::<str>::from(name))));
        let more = more.map(|(label, word)| (label, Text::from(word)));
        self.0.to.record(metric, named.into_iter().chain(more).collect(), value);
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
    /// The gauges that were set the last time and are gone.
    fn replace(&self, registry: &Registry, now: HashSet<Gauge>) -> Vec<Gauge> {
        let mut shown = self.shown.locked();
        let Some((_, before)) = shown.iter_mut().find(|(known, _)| known.is_of(registry)) else {
            shown.push((registry.downgrade(), now));
            return Vec::new();
        };
        let gone = before.difference(&now).cloned().collect();
        *before = now;
        gone
    }
}

impl Subscriber for Metrics {
    fn identity(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.0).addr())
    }

    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let values = self.0.known.integration(origin.integration().unwrap_or_default());
        MetricsVisitor { to: &*self.0.to, values, origin }.record(event);
    }
}
