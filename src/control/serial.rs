//! Serializes health: durations in seconds, times by RFC 3339.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use serde_json::json;

use super::controls::ControlState;
use super::fleet::{FleetHealth, FleetTrouble};
use super::health::{Expiry, Health, LaneHealth, PinHealth, ShareHealth};
use crate::event::Drift;
use crate::rt::clamp_to_year_9999;
use crate::terms::local_copy::{LoadFailure, SnapshotProblem};
use crate::terms::{Status, TokenFailure};

/// An object with these fields as they are, and with others.
macro_rules! object {
    ($of:expr, [$($field:ident),*] $(, $name:literal: $value:expr)* $(,)?) => {
        json!({ $(stringify!($field): $of.$field,)* $($name: $value,)* })
    };
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rate = &self.rate_limit;
        let value = object!(
            self,
            [integration, status, is_injecting_faults, controls, share, retries_saved, lanes, pins, drifts, fleet, expiries],
            "since": self.since.map(time),
            "breaker": self.breaker.map(|breaker| object!(
                breaker,
                [calls, failed, slow, rejected, abandoned, held, is_report_only, is_hinted],
                "state": breaker.state.name(),
                "open_for": breaker.open_for.map(seconds),
            )),
            "keyed_breakers": self.keyed_breakers.map(|breakers| object!(breakers, [keys, open])),
            "bulkhead": object!(self.bulkhead, [limit, in_use, waiting]),
            "rate_limit": object!(
                rate,
                [waiting, rejected],
                "interval": rate.interval.map(seconds),
                "paused_for": rate.paused_for.map(seconds),
            ),
            "hedge": object!(
                self.hedge,
                [sent, won, skipped],
                "delay": self.hedge.delay.map(seconds),
            ),
            "fallback": self.fallback.as_ref().map(|fallback| object!(fallback, [label])),
            "cache": self.cache.map(|cache| object!(cache, [keys, bytes, hits, stale, misses, failing])),
            "mirror": self.mirror.map(|mirror| object!(
                mirror,
                [mirrored, skipped, agreed, disagreed],
                "share": f64::from(mirror.share) / 1e6,
            )),
            "validation": self.validation.as_ref().map(|checks| object!(
                checks,
                [rejected, unchecked, duplicates],
                "last_rejection": checks.last_rejection.as_ref().map(|last| object!(
                    last,
                    [check, status, pointer],
                    "verdict": last.verdict.name(),
                    "at": time(last.at),
                )),
            )),
            "token": self.token.as_ref().map(|token| object!(
                token,
                [generation, error],
                "state": token.state.name(),
                "failure": token.failure.map(TokenFailure::name),
            )),
            "keyed_tokens": self.keyed_tokens.map(|tokens| object!(tokens, [keys, failing])),
            "local_copies": self.local_copies.iter().map(|copy| object!(
                copy,
                [name, count, is_from_snapshot, error],
                "state": copy.state.name(),
                "age": copy.age.map(seconds),
                "last_success": copy.last_success.map(time),
                "failure": copy.failure.map(LoadFailure::name),
                "snapshot": copy.snapshot.map(SnapshotProblem::name),
            )).collect::<Vec<_>>(),
            "signing": self.signing.as_ref().map(|signing| object!(signing, [clock_ahead, error])),
            "pool": self.pool.map(|pool| object!(
                pool,
                [open, idle, in_use, connecting, waiting, opened],
                "closed": object!(
                    pool.closed,
                    [by_peer, broken, idle, expired, cut, misdirected, surplus],
                ),
            )),
        );
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
        let value = object!(
            self,
            [name, position, is_default, who, why, error, has_error],
            "since": self.since.map(time),
        );
        value.serialize(serializer)
    }
}

impl Serialize for FleetHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = object!(
            self,
            [instance, has_heard, error, troubles],
            "heard_ago": seconds(self.heard_ago),
            "unheard_since": self.unheard_since.map(time),
            "wanted_until": self.wanted_until.map(time),
        );
        value.serialize(serializer)
    }
}

impl Serialize for FleetTrouble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(self, [integration, of, why]).serialize(serializer)
    }
}

impl Serialize for ShareHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(self, [account, rate, demand, has_ended]).serialize(serializer)
    }
}

impl Serialize for LaneHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = object!(
            self,
            [lane, integration, ready, leased, dead],
            "oldest_undelivered": self.oldest_undelivered.map(time),
            "paused": self.paused.as_ref().map(|pause| object!(
                pause,
                [who, why],
                "until": pause.until.map(time),
            )),
            "counted": time(self.counted),
        );
        value.serialize(serializer)
    }
}

impl Serialize for PinHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(self, [name, version, told, differs, is_over_a_year_old]).serialize(serializer)
    }
}

impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = object!(
            self,
            [host, endpoint, detail],
            "kind": self.kind.name(),
            "at": self.at.map(time),
            "first_seen": time(self.first_seen),
            "last_seen": time(self.last_seen),
        );
        value.serialize(serializer)
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = object!(
            self,
            [host],
            "credential": self.credential.name(),
            "at": time(self.at),
        );
        value.serialize(serializer)
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn time(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(clamp_to_year_9999(at)).to_string()
}
