//! The runbook speaks of every alert, and of no other.

use std::collections::BTreeSet;

const RULES: &str = include_str!("../../examples/observability/rules.yml");
const DASHBOARD: &str = include_str!("../../examples/observability/dashboard.json");
const WORDS: &str =
    concat!(include_str!("../../src/terms/fault.rs"), include_str!("../../src/terms/phase.rs"));
const PAGE: &str = include_str!("../../src/runbook.md");

/// The names that begin like an alert's.
fn names(text: &str) -> BTreeSet<&str> {
    let begins = text.match_indices("Outrigger").map(|(at, _)| &text[at..]);
    let end = |name: &str| name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    begins.map(|name| &name[..end(name)]).collect()
}

#[test]
fn every_alert_is_on_the_page_and_no_other_is() {
    let alerts = RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: BTreeSet<_> = alerts.collect();
    let page = names(PAGE);
    // A fast and a slow one share a row.
    let row = |alert: &str| match alert.strip_suffix("Slow") {
        Some(kind) => format!("{kind}Fast"),
        None => alert.to_owned(),
    };
    let rows: BTreeSet<_> = alerts.iter().map(|alert| row(alert)).collect();
    assert_eq!(rows.iter().map(String::as_str).collect::<BTreeSet<_>>(), page);
}

#[test]
fn the_fields_that_the_page_searches_for_are_in_an_audit_line() {
    for field in
        ["business_key", "call_id", "delivery", "error", "idempotency_key", "status", "trace_id"]
    {
        assert!(PAGE.contains(field), "{field}");
        assert!(AUDIT.contains(&format!("\"{field}\"")), "{field}");
    }
}

#[test]
fn the_panels_that_the_page_points_at_are_on_the_dashboard_and_show_its_words() {
    let panels: Vec<_> = PAGE.split("the panel \"").skip(1).collect();
    assert!(!panels.is_empty());
    for panel in panels {
        let panel = &panel[..panel.find('"').unwrap()];
        assert!(DASHBOARD.contains(&format!("\"title\": \"{panel}\"")), "{panel}");
    }
    for word in ["connect_timeout", "name_not_resolved", "attempt_timeout", "acquire_timeout"] {
        assert!(PAGE.contains(word) && WORDS.contains(&format!("\"{word}\"")), "{word}");
    }
}

/// Where a record's fields are named.
const AUDIT: &str = include_str!("../../src/telemetry/audit/json.rs");
