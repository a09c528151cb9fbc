//! Serializes health: durations in seconds, times by RFC 3339.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::controls::ControlState;
use super::health::{Expiry, Health};
use super::pool_figures::PoolFigures;
use crate::rt::clamp_to_year_9999;
use crate::terms::Status;

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { bulkhead, rate_limit, hedge, .. } = self;
        let value = json!({
            "integration": self.integration,
            "status": self.status,
            "since": self.since.map(time),
            "is_rehearsing": self.is_rehearsing,
            "controls": self.controls,
            "breaker": self.breaker.map(|breaker| json!({
                "state": breaker.state.name(),
                "open_for": breaker.open_for.map(seconds),
                "calls": breaker.calls,
                "failed": breaker.failed,
                "slow": breaker.slow,
                "rejected": breaker.rejected,
                "abandoned": breaker.abandoned,
                "held": breaker.held,
            })),
            "keyed_breakers": self.keyed_breakers.map(|breakers| json!({
                "keys": breakers.keys,
                "open": breakers.open,
            })),
            "bulkhead": {
                "limit": bulkhead.limit,
                "in_use": bulkhead.in_use,
                "waiting": bulkhead.waiting,
            },
            "rate_limit": {
                "interval": rate_limit.interval.map(seconds),
                "paused_for": rate_limit.paused_for.map(seconds),
                "waiting": rate_limit.waiting,
                "rejected": rate_limit.rejected,
            },
            "retries_saved": self.retries_saved,
            "hedge": {
                "delay": hedge.delay.map(seconds),
                "sent": hedge.sent,
                "won": hedge.won,
                "skipped": hedge.skipped,
            },
            "mirror": self.mirror.map(|mirror| json!({
                "share": f64::from(mirror.share) / 1e6,
                "mirrored": mirror.mirrored,
                "skipped": mirror.skipped,
                "agreed": mirror.agreed,
                "disagreed": mirror.disagreed,
            })),
            "pool": self.pool.map(pool),
            "expiries": self.expiries,
        });
        value.serialize(serializer)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for ControlState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = json!({
            "name": self.name,
            "position": self.position,
            "is_default": self.is_default,
            "who": self.who,
            "why": self.why,
            "since": self.since.map(time),
            "error": self.error,
            "has_error": self.has_error,
        });
        value.serialize(serializer)
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = json!({
            "credential": self.credential.name(),
            "host": self.host,
            "at": time(self.at),
        });
        value.serialize(serializer)
    }
}

fn pool(figures: PoolFigures) -> Value {
    let closed = figures.closed;
    json!({
        "open": figures.open,
        "idle": figures.idle,
        "in_use": figures.in_use,
        "connecting": figures.connecting,
        "waiting": figures.waiting,
        "opened": figures.opened,
        "closed": {
            "by_peer": closed.by_peer,
            "broken": closed.broken,
            "idle": closed.idle,
            "expired": closed.expired,
            "cut": closed.cut,
            "misdirected": closed.misdirected,
            "surplus": closed.surplus,
        },
    })
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn time(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(clamp_to_year_9999(at)).to_string()
}
