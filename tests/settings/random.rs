//! Whatever is written in a file: it is refused in words, or it comes back.

use outrigger::{Integration, IntegrationConfig};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A value that is right for one setting, under its path.
fn setting() -> impl Strategy<Value = (&'static str, Value)> {
    let path = |paths: &'static [&'static str]| proptest::sample::select(paths);
    let duration = (1_u64..4_000_000_000_000).prop_map(|nanos| {
        let time = std::time::Duration::from_nanos(nanos);
        json!(format!("{}s {}ns", time.as_secs(), time.subsec_nanos()))
    });
    let limit = prop_oneof![4 => duration.clone(), 1 => Just(json!("none"))];
    let ratio = (1_u32..1_000_000)
        .prop_map(|millionths| json!(format!("{}%", f64::from(millionths) / 10_000.0)));
    let rate = prop_oneof![4 => ratio.clone(), 1 => Just(json!("none"))];
    let count = (1_u32..100_000).prop_map(|count| json!(count));
    let counted = prop_oneof![4 => count.clone(), 1 => Just(json!("none"))];
    let growth = (100_u32..10_000).prop_map(|hundredths| json!(f64::from(hundredths) / 100.0));
    let percent = |millionths: u32| f64::from(millionths) / 10_000.0;
    let jitter = (0_u32..5_000_000, 0_u32..5_000_000)
        .prop_map(move |(low, high)| json!(format!("{}%..{}%", percent(low), percent(high))));
    prop_oneof![
        (path(DURATIONS), duration),
        (path(LIMITS), limit),
        (path(RATIOS), ratio),
        (path(RATES), rate),
        (path(COUNTS), count),
        (path(COUNTED), counted),
        (path(&["retry.backoff.jitter"]), jitter),
        (path(&["retry.backoff.factor", "circuit_breaker.open_growth"]), growth),
    ]
}

fn laid_out(settings: Vec<(&'static str, Value)>) -> Value {
    let mut file = Map::new();
    for (path, value) in settings {
        match path.rsplit_once('.') {
            None => file.insert(path.to_owned(), value),
            Some((tables, key)) => {
                let table = tables.split('.').fold(&mut file, |table, name| {
                    let inner = table.entry(name).or_insert_with(|| json!({}));
                    inner.as_object_mut().expect("a table")
                });
                table.insert(key.to_owned(), value)
            }
        };
    }
    file.into()
}

/// Anything at all, with the names of settings here and there.
fn anything() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(WORDS);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9]{1,25}(ns|ms|s|m|h|days|years|%| ){1,3}[0-9]{0,3}".prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    let key = prop_oneof![
        3 => proptest::sample::select(TABLES).prop_map(str::to_owned),
        6 => proptest::sample::select(KEYS).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(4, 64, 12, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => proptest::collection::hash_map(key.clone(), inner, 0..12)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn right_values_come_back(settings in proptest::collection::vec(setting(), 0..16)) {
        let file = laid_out(settings);
        let config: IntegrationConfig = serde_json::from_value(file).unwrap();
        let by_json: IntegrationConfig =
            serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        prop_assert_eq!(&by_json, &config);
        let by_toml: IntegrationConfig =
            toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        prop_assert_eq!(&by_toml, &config);
        // What can't work together is refused, and what can is what it says that it is.
        if let Ok(built) = Integration::user_flow("x").config(config.clone()).build() {
            let whole = built.config();
            let again = Integration::user_flow("x").config(by_toml).build().unwrap();
            prop_assert_eq!(again.config(), whole.clone());
            let read = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
            let again = Integration::user_flow("x").config(read).build().unwrap();
            prop_assert_eq!(again.config(), whole);
        }
    }

    #[test]
    fn anything_is_read_or_refused_and_nothing_breaks(value in anything()) {
        match IntegrationConfig::read(&value) {
            Err(error) => {
                prop_assert!(!error.errors().is_empty());
                for mistake in error.errors() {
                    prop_assert!(!mistake.field().is_empty() && !mistake.problem().is_empty());
                }
            }
            Ok(config) => {
                let written = serde_json::to_value(&config).unwrap();
                prop_assert_eq!(IntegrationConfig::read(&written).unwrap(), config.clone());
                let built = Integration::background("x").config(config).build();
                let _ = built.map(|built| built.config());
            }
        }
    }
}

const DURATIONS: &[&str] = &[
    "fallback.limit",
    "token.fetch_timeout",
    "token.margin",
    "token.renew_ahead",
    "cache.stale_while_revalidate",
    "cache.stale_if_error",
    "mirror.limit",
    "idempotency.lifetime",
    "retry.backoff.base",
    "retry.backoff.cap",
    "retry.backoff.step",
    "retry.budget.floor_period",
    "hedge.at_least",
    "drift.shapes.time",
    "circuit_breaker.window",
    "circuit_breaker.open_for",
    "circuit_breaker.open_cap",
    "circuit_breaker.retry_after_cap",
    "circuit_breaker.probe_limit",
    "circuit_breaker.abandoned_after",
    "rate_limit.forget_after",
    "rate_limit.pause_cap",
];
const LIMITS: &[&str] = &[
    "deadline",
    "idle_timeout",
    "retry.max_elapsed",
    "retry.retry_after_cap",
    "hedge.after",
    "token.serve_expired",
    "cache.fresh_for",
    "circuit_breaker.slow_over",
    "rate_limit.max_wait",
    "bulkhead.queue_wait",
    "timeout.attempt",
    "timeout.response_head",
    "timeout.upload_stall",
    "hyper.connect_timeout",
    "hyper.acquire_timeout",
    "hyper.pool_idle_timeout",
    "hyper.time_to_live",
];
const RATIOS: &[&str] = &[
    "mirror.share",
    "retry.retry_after_spread",
    "retry.budget.ratio",
    "circuit_breaker.slow_rate",
    "circuit_breaker.open_jitter",
];
const RATES: &[&str] = &["circuit_breaker.failure_rate", "hedge.quantile"];
const COUNTS: &[&str] = &[
    "mirror.concurrency",
    "mirror.body_cap",
    "drift.shapes.answers",
    "drift.shapes.body_cap",
    "cache.body_cap",
    "cache.max_bytes",
    "cache.max_keys",
    "validate.body_cap",
    "idempotency.max_len",
    "retry.budget.floor",
    "retry.budget.burst",
    "circuit_breaker.minimum",
    "circuit_breaker.probes",
    "circuit_breaker.probe_successes",
    "rate_limit.burst",
    "rate_limit.queue",
    "bulkhead.queue",
    "bulkhead.adaptive_min",
    "bulkhead.adaptive_max",
];
const COUNTED: &[&str] = &[
    "retry.max_attempts",
    "circuit_breaker.consecutive",
    "circuit_breaker.consecutive_below_minimum",
    "rate_limit.requests",
    "rate_limit.in_flight",
    "bulkhead.concurrency",
    "hyper.max_connections_per_host",
    "hyper.pool_max_idle_per_host",
];
const TABLES: &[&str] = &[
    "retry",
    "backoff",
    "budget",
    "circuit_breaker",
    "rate_limit",
    "bulkhead",
    "hedge",
    "fault_injection",
    "plan",
    "latency",
    "slow_body",
    "answer",
    "idempotency",
    "hyper",
    "timeout",
];
const KEYS: &[&str] = &[
    "preset",
    "deadline",
    "header",
    "share",
    "from",
    "to",
    "status",
    "code",
    "base",
    "fixed",
    "schedule",
    "factor",
    "step",
    "jitter",
    "window",
    "window_calls",
    "requests",
    "per",
    "burst",
    "mode",
    "adaptive",
    "concurrency",
    "queue",
    "attempt",
    "allow",
    "body",
    "content_type",
    "max_len",
];
const WORDS: &[&str] = &[
    "none",
    "user_flow",
    "background",
    "1s",
    "10%",
    "500%",
    "aimd",
    "shape",
    "full",
    "decorrelated",
    "50%..150%",
    "..",
    "99999999999years",
    "584942417355years",
    "500000000000years",
    "0s",
    "-1s",
    "x-y",
    "",
];
