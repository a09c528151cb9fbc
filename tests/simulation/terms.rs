//! The settings that a world's promises depend on, read from the integration itself.

use std::time::Duration;

use outrigger::Integration;
use serde_json::Value;

/// What holds just now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Terms {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt: Duration,
    /// Where there is a limit of attempts.
    pub(crate) attempts: Option<u32>,
    pub(crate) budget: Option<Budget>,
    pub(crate) breaker: Option<Breaker>,
    /// Where there is a fixed number.
    pub(crate) places: Option<u32>,
    pub(crate) hedges: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) ratio: f64,
    pub(crate) floor: u32,
    pub(crate) period: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Breaker {
    /// The longest that it stays open after a failed probe.
    pub(crate) open: Duration,
    pub(crate) probe_limit: Duration,
}

impl Terms {
    pub(crate) fn of(integration: &Integration) -> Self {
        let all = serde_json::to_value(integration.config()).expect("settings are data");
        let budget = &all["retry"]["budget"];
        let breaker = &all["circuit_breaker"];
        let hedge = &all["hedge"];
        Self {
            deadline: time(&all["deadline"]),
            attempt: time(&all["timeout"]["attempt"]).unwrap_or(Duration::from_secs(30)),
            attempts: whole(&all["retry"]["max_attempts"]),
            budget: budget.is_object().then(|| Budget {
                ratio: percent(&budget["ratio"]),
                floor: whole(&budget["floor"]).unwrap_or(0),
                period: time(&budget["floor_period"]).expect("a period"),
            }),
            breaker: (breaker["enabled"] == true).then(|| Breaker {
                open: time(&breaker["open_cap"])
                    .unwrap_or_default()
                    .mul_f64(1.0 + percent(&breaker["open_jitter"])),
                probe_limit: time(&breaker["probe_limit"]).unwrap_or_default(),
            }),
            // An adaptive bulkhead has as many as it finds right.
            places: whole(&all["bulkhead"]["concurrency"])
                .filter(|_| all["bulkhead"]["adaptive"] == "none"),
            hedges: [&hedge["after"], &hedge["quantile"]].iter().any(|set| **set != "none"),
        }
    }
}

fn time(value: &Value) -> Option<Duration> {
    humantime::parse_duration(value.as_str()?).ok()
}

fn whole(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

fn percent(value: &Value) -> f64 {
    let text = value.as_str().and_then(|text| text.strip_suffix('%'));
    text.and_then(|text| text.parse::<f64>().ok()).expect("a percentage") / 100.0
}
