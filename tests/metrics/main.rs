//! What the metrics say, and whether alerts and dashboard ask for it.
#![expect(clippy::disallowed_methods, reason = "a test holds the clock itself")]

mod bounds;
mod current_trace;
mod exact;
mod gauges;
mod meter;
mod outcomes;
mod page;
mod promql;
mod rules;
mod runbook;
mod trouble;
