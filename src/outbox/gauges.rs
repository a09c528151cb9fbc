//! How the lanes are, as gauges.

use super::error::OutboxError;
use super::handle::Outbox;
use super::stats::LaneStats;
use super::time::Timestamp;
use crate::telemetry::metrics::{Metrics, names};
use crate::terms::outbox::DeadReason;

impl Outbox {
    /// Sets the gauges of its lanes to how they are now: call it before each scrape, beside
    /// [`Metrics::observe`]. It counts in the store, so every 15 s is often enough.
    ///
    /// # Errors
    ///
    /// The store doesn't answer. The gauges keep their values.
    pub async fn observe(&self, metrics: &Metrics) -> Result<(), OutboxError> {
        let now = self.inner.store.now().await?;
        for lane in &self.inner.lanes {
            let stats = self.inner.store.stats(lane.name.clone()).await?;
            // What is handled here has no integration.
            let integration = lane.destination.integration();
            let integration = integration.map_or(&*lane.name, |integration| integration.name());
            record(metrics, (integration, &lane.name), &stats, now);
        }
        Ok(())
    }
}

fn record(metrics: &Metrics, of: (&str, &str), stats: &LaneStats, now: Timestamp) {
    let LaneStats { ready, due, leased, polling, unknown, .. } = *stats;
    let states = [
        ("ready", ready),
        ("due", due),
        ("leased", leased),
        ("polling", polling),
        ("unknown", unknown),
    ];
    for (state, count) in states {
        let state = Some((names::STATE, state));
        metrics.record_lane(&names::OUTBOX_MESSAGES, of, state, as_number(count));
    }
    for why in DeadReason::ALL {
        let count = stats.dead.get(why).copied().unwrap_or_default();
        let why = Some((names::REASON, why.name()));
        metrics.record_lane(&names::OUTBOX_DEAD, of, why, as_number(count));
    }
    let age = |since: Option<Timestamp>| since.map_or(0.0, |at| now.since(at).as_secs_f64());
    metrics.record_lane(&names::OUTBOX_OLDEST, of, None, age(stats.oldest_undelivered));
    metrics.record_lane(&names::OUTBOX_OLDEST_DEAD, of, None, age(stats.oldest_dead));
    let is_paused = if stats.paused.is_some() { 1.0 } else { 0.0 };
    metrics.record_lane(&names::OUTBOX_PAUSED, of, None, is_paused);
}

/// A gauge is a floating-point number; counts of messages fit.
fn as_number(count: u64) -> f64 {
    count as f64
}
