use std::time::Duration;

use crate::plans::catalog::{self, outage};
use crate::plans::scenario::Scenario;
use crate::plans::stack::Stack;
use crate::plans::{bars, run};
use crate::provider::plan::Mode;

/// Lives through those scenarios of the catalogue.
fn holds_in(names: &[&str]) {
    let all = catalog::jobs();
    let named = |name: &&str| all.iter().find(|scenario| scenario.name == *name);
    holds(names.iter().map(|name| named(name).expect(name).clone()));
}

fn holds(scenarios: impl IntoIterator<Item = Scenario>) {
    let broken = scenarios.into_iter().flat_map(|scenario| {
        let ours = run(&scenario, Stack::Background, SEED);
        bars::jobs(&scenario, &ours)
    });
    let broken: Vec<_> = broken.collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn no_job_is_lost_in_a_bad_minute_of_everything() {
    holds_in(&["the demo's script"]);
}

#[test]
fn no_job_is_lost_in_twenty_seconds_down() {
    holds_in(&["reset 20 s", "stuck 20 s", "2/s, 503 for 20 s"]);
}

#[test]
fn no_job_is_lost_in_five_minutes_down() {
    let rare = "1 job in 10 s, 503 for 5 min";
    holds_in(&["reset 5 min", "stuck 5 min", "three instances, reset 5 min", rare]);
}

#[test]
fn no_job_is_lost_in_an_hour_down_that_its_clock_outlasts() {
    // Fewer jobs, so that it is soon lived through.
    let hour = |mode| outage("an hour", mode, 3_600).rate(5.0).job_deadline(2 * HOUR);
    holds([Mode::Reset, Mode::Stuck].map(hour));
}

#[test]
fn five_thousand_jobs_that_meet_an_outage_at_once_are_soon_done() {
    holds_in(&["5,000 jobs as a minute of resets begins"]);
}

#[test]
fn no_job_is_lost_where_most_answers_are_errors() {
    holds_in(&["errors 50 %", "errors 80 %"]);
}

const SEED: u64 = 1;
const HOUR: Duration = Duration::from_secs(3_600);
