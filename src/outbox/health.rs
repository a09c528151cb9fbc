//! How the lanes are, for registries.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::error::OutboxError;
use super::inner::Inner;
use super::lane::Lane;
use super::stats::LaneStats;
use super::store::{Pause, PausedBy};
use super::time::Timestamp;
use crate::control::{LaneHealth, LanePause, Lanes};
use crate::rt::{self, Lock};

/// Counts the lanes until it is dropped, if a registry asks for them.
pub(super) async fn run(inner: Arc<Inner>) {
    if !inner.is_registered {
        return std::future::pending().await;
    }
    loop {
        // While the store is away, what was counted last says when that was.
        if let Ok(counted) = count(&inner).await {
            *inner.counted.locked() = counted;
        }
        rt::sleep_until(rt::after(rt::now(), inner.rng.about(INTERVAL))).await;
    }
}

async fn count(inner: &Inner) -> Result<Vec<LaneHealth>, OutboxError> {
    let mut lanes = Vec::with_capacity(inner.lanes.len());
    for lane in &inner.lanes {
        let stats = inner.store.stats(lane.name.clone()).await?;
        lanes.push(lane.health(stats, inner.time().into()));
    }
    Ok(lanes)
}

impl Lane {
    fn health(&self, stats: LaneStats, counted: SystemTime) -> LaneHealth {
        let integration = self.destination.integration();
        LaneHealth {
            lane: self.name.clone(),
            integration: integration.map(|integration| integration.name().to_owned()),
            ready: stats.ready,
            leased: stats.leased,
            dead: stats.dead_in_all(),
            oldest_undelivered: stats.oldest_undelivered.map(Into::into),
            paused: stats.paused.map(pause),
            counted,
        }
    }
}

fn pause(Pause { until, by, why, .. }: Pause) -> LanePause {
    let who = match by {
        PausedBy::Worker => None,
        PausedBy::Person(who) => Some(who),
    };
    LanePause { until: (until != Timestamp::NEVER).then(|| until.into()), who, why }
}

impl Lanes for Inner {
    fn lanes(&self) -> Vec<LaneHealth> {
        self.counted.locked().clone()
    }
}

/// Counting takes time that grows with what is open and dead, and a person looks a few times a minute.
const INTERVAL: Duration = Duration::from_secs(15);
