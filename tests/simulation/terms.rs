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
    /// Keys that are made here count: it is said that the provider honours them.
    pub(crate) honoured: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) ratio: f64,
    pub(crate) floor: u32,
    pub(crate) period: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Breaker {
    /// The shortest and the longest time that it stays open, where the provider asks for no other.
    pub(crate) open: [Duration; 2],
    /// The longest that a provider may ask for.
    pub(crate) asked: Duration,
    pub(crate) probes: u32,
    pub(crate) probe_limit: Duration,
    /// As many must fail in a row, where that is the only rule.
    pub(crate) row: Option<u32>,
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
            breaker: (breaker["enabled"] == true).then(|| Breaker::of(breaker)),
            // An adaptive bulkhead has as many as it finds right.
            places: whole(&all["bulkhead"]["concurrency"])
                .filter(|_| all["bulkhead"]["adaptive"] == "none"),
            hedges: [&hedge["after"], &hedge["quantile"]].iter().any(|set| **set != "none"),
            honoured: all["idempotency"]["honoured"] == "all",
        }
    }
}

impl Breaker {
    fn of(settings: &Value) -> Self {
        let time = |name: &str| time(&settings[name]).unwrap_or_default();
        let spread = percent(&settings["open_jitter"]);
        let longest = match settings["open_growth"].as_f64() {
            Some(1.0) => time("open_for"),
            _ => time("open_cap"),
        };
        let others = ["failure_rate", "failures", "slow_over", "consecutive_below_minimum"];
        let is_only = others.iter().all(|rule| settings[rule] == "none");
        Self {
            open: [time("open_for").mul_f64(1.0 - spread), longest.mul_f64(1.0 + spread)],
            asked: time("retry_after_cap"),
            probes: whole(&settings["probes"]).unwrap_or(1),
            probe_limit: time("probe_limit"),
            row: whole(&settings["consecutive"]).filter(|_| is_only),
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
