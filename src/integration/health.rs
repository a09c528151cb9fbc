use std::sync::Arc;
use std::time::SystemTime;

use super::controls::{BreakerControl, FaultInjectionControl, KillSwitchControl};
#[cfg(feature = "fleet")]
use super::handle::Integration;
use super::handle::Shared;
use super::token_health::TokensHealth;
use crate::circuit_breaker::Mode;
use crate::control::{
    BreakerHealth, BulkheadHealth, Control, Controllable, Credential, Expiry, Health, HedgeHealth,
    KeyedBreakersHealth, LocalCopyHealth, MirrorHealth, RateLimitHealth, ShareHealth, TokenHealth,
};
use crate::rt::Clock;
#[cfg(feature = "fleet")]
use crate::settings::{ConfigError, ValidationError};
use crate::terms::{BreakerState, Status};
use crate::transport::pool::PoolHandle;

impl Controllable for Shared {
    fn name(&self) -> &str {
        &self.name
    }

    fn health(&self) -> Health {
        let slots = self.live.slots().clone();
        let breaker = slots.circuit_breaker.handle();
        let breaker = breaker.exists().then(|| {
            let counts = breaker.counts();
            BreakerHealth {
                state: breaker.state(),
                open_for: breaker.open_for(),
                calls: counts.calls,
                failed: counts.failed,
                slow: counts.slow,
                rejected: counts.rejected,
                abandoned: counts.abandoned,
                held: counts.held,
                is_report_only: breaker.mode() == Mode::ReportOnly,
                is_hinted: breaker.is_hinted(),
            }
        });
        let bulkhead = slots.bulkhead.handle();
        let (rate, hedge, mirror) =
            (slots.rate_limit.handle(), slots.hedge.handle(), slots.mirror.handle());
        let counts = hedge.counts();
        let tokens = TokensHealth::of(&slots.token);
        let mut health = Health {
            integration: self.name.to_string(),
            status: Status::Up,
            since: None,
            is_injecting_faults: slots.fault_injection.handle().is_on(),
            controls: self.control_states(),
            breaker,
            keyed_breakers: slots.circuit_breaker.keyed_handle().map(|breakers| {
                let (keys, open) = breakers.counts();
                KeyedBreakersHealth { keys, open }
            }),
            bulkhead: BulkheadHealth {
                limit: bulkhead.limit(),
                in_use: bulkhead.in_use(),
                waiting: bulkhead.waiting(),
            },
            rate_limit: RateLimitHealth {
                interval: rate.interval(),
                paused_for: rate.paused_for(),
                waiting: rate.waiting(),
                rejected: rate.rejected(),
            },
            share: rate.share().map(|share| ShareHealth {
                account: share.account.to_string(),
                rate: share.rate,
                demand: share.demand,
                has_ended: share.has_ended,
            }),
            retries_saved: slots.retry.shared_budget().saved(),
            hedge: HedgeHealth {
                delay: hedge.delay(),
                sent: counts.sent,
                won: counts.won,
                skipped: counts.skipped,
            },
            fallback: slots.fallback.health(),
            cache: slots.cache.reader().map(|cache| cache.health()),
            mirror: slots.mirror.target().0.is_some().then(|| MirrorHealth {
                share: mirror.share().millionths(),
                mirrored: mirror.mirrored(),
                skipped: mirror.skipped(),
                agreed: mirror.agreed(),
                disagreed: mirror.disagreed(),
            }),
            pool: self.pool.as_ref().map(PoolHandle::figures),
            validation: slots.validate.has_checks().then(|| slots.validate.reader().health()),
            lanes: Vec::new(),
            fleet: None,
            token: tokens.worst,
            keyed_tokens: tokens.keyed,
            local_copies: self.copies.all().iter().map(|copy| copy.health()).collect(),
            signing: slots.sign.health(),
            pins: self.pins.health(),
            drifts: slots.drift.reader().drifts(),
            expiries: self.pool.as_ref().map(PoolHandle::expiries).unwrap_or_default(),
        };
        let ends = tokens.ends.map(|at| Expiry { credential: Credential::Token, host: None, at });
        health.expiries.extend(ends);
        health.expiries.sort_by_key(|expiry| expiry.at);
        (health.status, health.since) = self.status(&health);
        health
    }

    fn controls(self: Arc<Self>) -> Vec<Box<dyn Control>> {
        let mut controls: Vec<Box<dyn Control>> = vec![
            Box::new(KillSwitchControl(Arc::clone(&self))),
            Box::new(BreakerControl(Arc::clone(&self))),
            Box::new(FaultInjectionControl(Arc::clone(&self))),
        ];
        controls.extend(self.copies.all().iter().map(|copy| copy.control()));
        controls
    }

    #[cfg(feature = "fleet")]
    fn into_any(self: Arc<Self>) -> Arc<dyn std::any::Any + Send + Sync> {
        self
    }

    #[cfg(feature = "fleet")]
    fn check_table(self: Arc<Self>, table: &serde_json::Value) -> Result<(), ConfigError> {
        Integration { shared: self }.check_told(table)
    }

    #[cfg(feature = "fleet")]
    fn apply_table(
        self: Arc<Self>,
        table: &serde_json::Value,
    ) -> Result<Vec<ValidationError>, ConfigError> {
        Integration { shared: self }.apply_told(table)
    }

    #[cfg(feature = "fleet")]
    fn present_table(self: Arc<Self>) -> serde_json::Value {
        Integration { shared: self }.told()
    }
}

impl Shared {
    /// Checks for the worst status first.
    fn status(&self, health: &Health) -> (Status, Option<SystemTime>) {
        let position = self.live.slots().kill_switch.handle().position();
        if !position.mode().lets_calls_through() {
            return (Status::Stopped, Some(position.since()));
        }
        let breaker = health.breaker;
        let opened = breaker.and_then(|breaker| breaker.open_for);
        let opened = opened.and_then(|ago| Clock::system().wall().checked_sub(ago));
        match breaker.map(|breaker| breaker.state) {
            Some(BreakerState::Open | BreakerState::HalfOpen) if self.breaker().is_down() => {
                return (Status::Down, opened);
            }
            Some(BreakerState::Open | BreakerState::HalfOpen) => return (Status::Degraded, opened),
            _ => {}
        }
        if breaker.is_some_and(|breaker| breaker.held > 0)
            || health.keyed_breakers.is_some_and(|breakers| breakers.open > 0)
            || health.controls.iter().any(|control| control.has_error)
            || health.token.as_ref().is_some_and(TokenHealth::is_in_trouble)
            || health.local_copies.iter().any(LocalCopyHealth::is_outdated)
            || health.signing.as_ref().is_some_and(|signing| signing.error.is_some())
        {
            return (Status::Degraded, None);
        }
        let unusual = health.controls.iter().find(|control| !control.is_default);
        match (unusual, health.rate_limit.paused_for) {
            (Some(control), _) => (Status::Degraded, control.since),
            (None, Some(_)) => (Status::Degraded, None),
            (None, None) => (Status::Up, None),
        }
    }
}
