use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::labels::{Labels, Text};
use super::names::{self, Metric};
use crate::control::{
    BreakerHealth, ControlState, Expiry, FleetHealth, Health, LocalCopyHealth, PinHealth,
    PoolFigures, SigningHealth,
};
use crate::event::Drift;
use crate::terms::local_copy::{CopyState, LoadFailure};
use crate::terms::{BreakerState, DriftKind, Status, SwitchMode};

/// A gauge: a metric with its labels.
pub(super) type Gauge = (&'static Metric, Labels);

/// Collects the gauges of several integrations.
#[derive(Default)]
struct Gauges {
    integration: Arc<str>,
    values: HashMap<Gauge, f64>,
}

/// The values of all gauges for these integrations.
pub(super) fn of(all: &[Health]) -> HashMap<Gauge, f64> {
    let mut gauges = Gauges::default();
    for health in all {
        gauges.integration = health.integration.as_str().into();
        gauges.status(health);
        gauges.limits(health);
        health.controls.iter().for_each(|control| gauges.control(control));
        health.breaker.iter().for_each(|breaker| gauges.breaker(breaker));
        health.pool.iter().for_each(|pool| gauges.pool(pool));
        health.pins.iter().for_each(|pin| gauges.pin(pin));
        health.signing.iter().for_each(|signing| gauges.signing(signing));
        health.expiries.iter().for_each(|expiry| gauges.expiry(expiry));
        health.local_copies.iter().for_each(|copy| gauges.local_copy(copy));
        health.drifts.iter().for_each(|drift| gauges.drift(drift));
        health.fleet.iter().for_each(|fleet| gauges.fleet(fleet));
    }
    gauges.values
}

impl Gauges {
    fn status(&mut self, health: &Health) {
        for status in [Status::Up, Status::Degraded, Status::Down, Status::Stopped] {
            let word = (names::STATUS_WORD, status.name());
            self.most(&names::STATUS, Some(word), is(health.status == status));
        }
        let since = health.since.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        self.most(&names::STATUS_SINCE, None, seconds(since));
        self.most(&names::FAULT_INJECTION_ON, None, is(health.is_injecting_faults));
    }

    fn limits(&mut self, health: &Health) {
        let (places, rate) = (health.bulkhead, health.rate_limit);
        if let Some(saved) = health.retries_saved {
            self.sum(&names::RETRY_BUDGET, None, saved);
        }
        if let Some(limit) = places.limit {
            self.sum(&names::BULKHEAD_LIMIT, None, limit);
        }
        self.sum(&names::BULKHEAD_IN_USE, None, places.in_use);
        self.sum(&names::BULKHEAD_WAITING, None, places.waiting);
        self.most(&names::RATE_LIMIT_INTERVAL, None, seconds(rate.interval));
        self.most(&names::RATE_LIMIT_PAUSED, None, seconds(rate.paused_for));
        self.sum(&names::RATE_LIMIT_WAITING, None, rate.waiting);
        let (share, demand) =
            health.share.as_ref().map_or((0.0, 0.0), |share| (share.rate, share.demand));
        *self.shown(&names::RATE_LIMIT_SHARE, None) += share;
        *self.shown(&names::RATE_LIMIT_DEMAND, None) += demand;
        self.most(&names::HEDGE_DELAY, None, seconds(health.hedge.delay));
        if let Some(cache) = health.cache {
            let most = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            self.sum(&names::CACHE_KEYS, None, most(cache.keys));
            self.sum(&names::CACHE_FAILING, None, most(cache.failing));
            self.sum(&names::CACHE_BYTES, None, most(cache.bytes));
        }
        if let Some(mirror) = health.mirror {
            self.most(&names::MIRROR_SHARE, None, f64::from(mirror.share) / MILLION);
        }
    }

    fn control(&mut self, control: &ControlState) {
        let name = Some((names::CONTROL, control.name));
        self.most(&names::CONTROL_MOVED, name, is(!control.is_default));
        self.most(&names::CONTROL_TROUBLE, name, is(control.has_error));
        if control.name == KILL_SWITCH {
            for mode in SwitchMode::ALL.map(SwitchMode::name) {
                let word = Some((names::MODE, mode));
                self.most(&names::KILL_SWITCH_MODE, word, is(control.position == mode));
            }
        }
    }

    fn breaker(&mut self, breaker: &BreakerHealth) {
        for state in [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen] {
            let word = Some((names::STATE, state.name()));
            self.most(&names::BREAKER_STATE, word, is(breaker.state == state));
        }
        self.most(&names::BREAKER_OPEN_TIME, None, seconds(breaker.open_for));
        self.most(&names::BREAKER_HINTED, None, is(breaker.is_hinted));
        self.sum(&names::BREAKER_HELD, None, u32::try_from(breaker.held).unwrap_or(u32::MAX));
    }

    fn pool(&mut self, pool: &PoolFigures) {
        let states =
            [("idle", pool.idle), ("in_use", pool.in_use), ("connecting", pool.connecting)];
        for (state, connections) in states {
            self.sum(&names::POOL_CONNECTIONS, Some((names::STATE, state)), connections);
        }
        self.sum(&names::POOL_WAITING, None, pool.waiting);
    }

    fn pin(&mut self, pin: &PinHealth) {
        let integration = (names::INTEGRATION, Text::from(Arc::clone(&self.integration)));
        let name = (names::PIN, Text::Kept(pin.name.as_str().into()));
        let shown = self.values.entry((&names::PIN_DIFFERS, vec![integration, name])).or_default();
        *shown = shown.max(is(pin.differs));
    }

    /// For integrations with one name, the clock that is most wrong counts.
    fn signing(&mut self, signing: &SigningHealth) {
        let seconds = signing.clock_ahead as f64;
        let shown = self.shown(&names::SIGNING_CLOCK_AHEAD, None);
        if seconds.abs() > shown.abs() {
            *shown = seconds;
        }
    }

    fn expiry(&mut self, expiry: &Expiry) {
        let what = Some((names::CREDENTIAL, expiry.credential.name()));
        self.earliest(&names::CREDENTIAL_EXPIRY, what, expiry.at);
    }

    fn drift(&mut self, drift: &Drift) {
        self.sum(&names::DRIFT_ENDPOINTS, Some((names::DRIFT, drift.kind.name())), 1);
        if let (DriftKind::Sunset, Some(at)) = (drift.kind, drift.at) {
            self.earliest(&names::DRIFT_SUNSET, None, at);
        }
    }

    fn fleet(&mut self, fleet: &FleetHealth) {
        let obeys = fleet.has_heard && fleet.troubles.is_empty();
        self.most(&names::FLEET_OBEYS, None, is(obeys));
        self.most(&names::FLEET_HEARD_AGO, None, seconds(Some(fleet.heard_ago)));
    }

    /// For points in time, the earliest counts.
    fn earliest(&mut self, metric: &'static Metric, labels: Option<Label>, at: SystemTime) {
        let at = seconds(at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let shown = self.shown(metric, labels);
        *shown = if *shown == 0.0 { at } else { shown.min(at) };
    }

    fn local_copy(&mut self, copy: &LocalCopyHealth) {
        let name = (names::COPY, copy.name);
        for state in CopyState::ALL {
            let labels = [name, (names::STATE, state.name())];
            self.most(&names::LOCAL_COPY_STATE, labels, is(copy.state == state));
        }
        for why in LoadFailure::ALL {
            let labels = [name, (names::REASON, why.name())];
            self.most(&names::LOCAL_COPY_FAILING, labels, is(copy.failure == Some(why)));
        }
        let last = copy.last_success.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        self.most(&names::LOCAL_COPY_LAST_SUCCESS, [name], seconds(last));
        self.most(&names::LOCAL_COPY_AGE, [name], seconds(copy.age));
        // A gauge is a floating-point number; counts of entries fit.
        self.most(&names::LOCAL_COPY_ENTRIES, [name], copy.count.unwrap_or_default() as f64);
    }

    /// For integrations with one name, the highest value counts.
    fn most(
        &mut self,
        metric: &'static Metric,
        labels: impl IntoIterator<Item = Label>,
        value: f64,
    ) {
        let shown = self.shown(metric, labels);
        *shown = shown.max(value);
    }

    /// For integrations with one name, the values are added up.
    fn sum(&mut self, metric: &'static Metric, labels: Option<Label>, value: u32) {
        *self.shown(metric, labels) += f64::from(value);
    }

    fn shown(
        &mut self,
        metric: &'static Metric,
        labels: impl IntoIterator<Item = Label>,
    ) -> &mut f64 {
        let integration = (names::INTEGRATION, Text::from(Arc::clone(&self.integration)));
        let labels = labels.into_iter().map(|(name, word)| (name, Text::from(word)));
        let labels = [integration].into_iter().chain(labels).collect();
        self.values.entry((metric, labels)).or_default()
    }
}

/// A label with its value.
type Label = (&'static str, &'static str);

fn is(so: bool) -> f64 {
    if so { 1.0 } else { 0.0 }
}

fn seconds(time: Option<Duration>) -> f64 {
    time.unwrap_or_default().as_secs_f64()
}

const KILL_SWITCH: &str = "kill_switch";
/// Shares are kept in millionths.
const MILLION: f64 = 1e6;
