//! The files of examples, which name every setting there is.

use std::collections::BTreeSet;

use outrigger::integration::OwnClient;
use outrigger::{Integration, IntegrationBuilder, IntegrationConfig};
use serde_json::Value;

const USER_FLOW: &str = include_str!("../../examples/config/user_flow.toml");
const BACKGROUND: &str = include_str!("../../examples/config/background.toml");

fn both() -> [(&'static str, IntegrationBuilder<OwnClient>); 2] {
    [(USER_FLOW, Integration::user_flow("x")), (BACKGROUND, Integration::background("x"))]
}

#[test]
fn a_sample_over_its_preset_changes_nothing() {
    for (sample, preset) in both() {
        let config: IntegrationConfig = toml::from_str(sample).unwrap();
        let untouched = preset.clone().build().unwrap().config();
        assert_eq!(preset.config(config.clone()).build().unwrap().config(), untouched);
        let built = Integration::from_config("x", config).unwrap().build().unwrap();
        assert_eq!(built.config(), untouched);
    }
}

#[test]
fn a_sample_names_every_setting_with_its_value() {
    for (sample, preset) in both() {
        let sample: IntegrationConfig = toml::from_str(sample).unwrap();
        let known = preset.build().unwrap().config();
        // Whole, so that a new setting can't be forgotten.
        assert_eq!(as_json(&sample), as_json(&known));
    }
}

#[test]
fn a_sample_says_of_every_other_setting_that_it_is_there() {
    for (sample, _) in both() {
        let named: BTreeSet<_> = sample.lines().filter_map(key).collect();
        for table in TABLES {
            for known in keys_of(table) {
                assert!(named.contains(known.as_str()), "{known} of {table:?} is nowhere");
            }
        }
    }
}

#[test]
fn what_is_off_can_be_switched_on() {
    for (sample, preset) in both() {
        let breaker = switched_on(sample, "[circuit_breaker]", &["window_calls", "slow_rate"]);
        let breaker = breaker.replace("enabled = false", "enabled = true");
        let plan = switched_on(sample, "# [fault_injection.plan]", &[]);
        let plan = format!("fault_injection.allow = true\n{plan}");
        for file in [breaker, plan] {
            let config: IntegrationConfig = toml::from_str(&file).expect(&file);
            assert_ne!(config, IntegrationConfig::default());
            let built = preset.clone().config(config).build();
            assert!(built.is_ok(), "{file}\n{:?}", built.err());
        }
    }
}

/// The settings of one table, those behind a `#` too, but for those that are another way to say
/// something.
fn switched_on(sample: &str, table: &str, without: &[&str]) -> String {
    let lines =
        sample.lines().skip_while(|line| *line != table).take_while(|line| !line.is_empty());
    let lines = lines.map(|line| line.strip_prefix("# ").unwrap_or(line));
    let is_setting = |line: &&str| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        let is_key = !key.is_empty() && !key.contains([' ', '"']);
        line.starts_with('[') || is_key && !without.contains(&key)
    };
    lines.filter(is_setting).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_setting_has_a_comment() {
    for (sample, _) in both() {
        let lines: Vec<_> = sample.lines().collect();
        for pair in lines.windows(2).filter(|pair| !pair[1].starts_with('#')) {
            let is_setting = pair[1].contains(" = ");
            let says_itself = pair[1].starts_with("enabled = true");
            assert!(!is_setting || says_itself || pair[0].starts_with('#'), "{}", pair[1]);
        }
    }
}

fn as_json(config: &IntegrationConfig) -> Value {
    serde_json::to_value(config).unwrap()
}

/// What stands before the equals sign, or in brackets, be it behind a `#` or not.
fn key(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['#', ' ']);
    match line.strip_prefix('[') {
        Some(table) => table.trim_end_matches(']').rsplit('.').next(),
        None => line.split_once(" = ").map(|(key, _)| key),
    }
}

/// The keys that a table may have, by what is said of one that it may not.
fn keys_of(table: &str) -> Vec<String> {
    let wrong = if table.is_empty() { "qqqqqq = 1" } else { &format!("[{table}]\nqqqqqq = 1") };
    let error = IntegrationConfig::read(toml::Deserializer::parse(wrong).unwrap()).unwrap_err();
    let problem = error.errors()[0].problem();
    let keys = problem.strip_prefix("there is no such setting: there are ").expect(problem);
    keys.split(", ").map(str::to_owned).collect()
}

const TABLES: [&str; 21] = [
    "",
    "correlation",
    "fallback",
    "cache",
    "validate",
    "mirror",
    "idempotency",
    "retry",
    "retry.backoff",
    "retry.budget",
    "hedge",
    "circuit_breaker",
    "rate_limit",
    "bulkhead",
    "timeout",
    "token",
    "drift",
    "drift.shapes",
    "fault_injection",
    "fault_injection.plan",
    "hyper",
];
