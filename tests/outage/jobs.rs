use crate::plans::stack::Stack;
use crate::plans::{bars, catalog, run};

/// Lives through those scenarios of the catalogue.
fn holds_in(names: &[&str]) {
    let all = catalog::jobs();
    let mut broken = Vec::new();
    for name in names {
        let scenario = all.iter().find(|scenario| scenario.name == *name).expect(name);
        broken.extend(bars::jobs(scenario, &run(scenario, Stack::Background, SEED)));
    }
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
    holds_in(&["reset 1 h, deadline 2 h", "stuck 1 h, deadline 2 h"]);
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
