//! What must hold in every scenario, and a sentence for each that doesn't.

use std::time::Duration;

use super::figures::Figures;
use super::scenario::{OFTEN, Scenario};

/// What `user_flow` breaks in a scenario that a bare client lived through too.
pub(crate) fn persons(scenario: &Scenario, bare: &Figures, ours: &Figures) -> Vec<String> {
    let mut broken = both(ours);
    let must = |holds: bool, sentence: String| (!holds).then_some(sentence);
    let often = scenario.often();
    if often >= OFTEN {
        let within = scenario.recovers_within;
        broken.extend(must(
            ours.recovered_after.is_some_and(|after| after <= within),
            format!("recovers after {}, not {within:?}", shown(ours.recovered_after)),
        ));
    }
    broken.extend(must(
        ours.refused_while_well == 0 || scenario.is_over_a_limit || scenario.asks_for_time,
        format!("{} calls were refused while the provider was well", ours.refused_while_well),
    ));
    // What is asked more rarely than it is probed gets more in proportion.
    let (load, bar) = (ours.load_while_down(), PERSONS_LOAD.max(NOTICING + PROBES / often));
    broken.extend(must(
        !is_long(scenario) || load <= bar,
        format!("the load while down is {load:.2} of what was asked, not {bar:.2}"),
    ));
    let (theirs, share) = (bare.useful_share() * 100.0, ours.useful_share() * 100.0);
    let least = if scenario.asks_for_time { ASKED } else { USEFUL };
    broken.extend(must(
        share >= theirs * least || scenario.is_over_a_limit,
        format!("useful are {share:.2} %, {:.2} % of bare's {theirs:.2} %", share / theirs * 100.0),
    ));
    named(scenario, "user_flow", broken)
}

/// What `background` breaks.
pub(crate) fn jobs(scenario: &Scenario, ours: &Figures) -> Vec<String> {
    let mut broken = both(ours);
    let lost = ours.calls - ours.answered;
    if lost > 0 {
        broken.push(format!("{lost} jobs of {} were lost", ours.calls));
    }
    let load = ours.load_while_down();
    if is_long(scenario) && load > JOBS_LOAD {
        broken.push(format!(
            "the load while down is {load:.2} of what was asked, not {JOBS_LOAD:.2}"
        ));
    }
    if scenario.often() >= OFTEN && ours.first_second_back > MOST_AT_ONCE {
        let back = ours.first_second_back;
        broken.push(format!("the first second after it has {back:.1} times the usual load"));
    }
    if let Some(within) = scenario.done_within.filter(|_| lost == 0) {
        let after = ours.done_after;
        if after.is_none_or(|after| after > within) {
            broken.push(format!("the last job is done after {}, not {within:?}", shown(after)));
        }
    }
    named(scenario, "background", broken)
}

fn both(ours: &Figures) -> Vec<String> {
    match ours.done_twice {
        0 => Vec::new(),
        twice => vec![format!("{twice} unsafe calls were done more than once")],
    }
}

fn named(scenario: &Scenario, stack: &str, broken: Vec<String>) -> Vec<String> {
    broken.into_iter().map(|what| format!("{}, {stack}: {what}", scenario.name)).collect()
}

/// Whether one outage lasts so long that the load on it counts.
fn is_long(scenario: &Scenario) -> bool {
    // What comes more rarely than its probes is sent as it is.
    scenario.often() >= OFTEN && scenario.outages().any(|outage| outage.end - outage.start >= LONG)
}

fn shown(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()))
}

/// An outage after whose beginning there is time for a breaker to act.
const LONG: Duration = Duration::from_secs(20);
/// Of a bare client's answers.
const USEFUL: f64 = 0.99;
/// The same, where a provider asked for time that it didn't need: up to ten seconds are given.
const ASKED: f64 = 0.95;
/// Requests for each call.
const PERSONS_LOAD: f64 = 0.25;
const JOBS_LOAD: f64 = 0.3;
/// Probes a second of each client.
const PROBES: f64 = 2.5;
/// What is sent before an outage of 20 s is known to be one, of what is asked in it.
const NOTICING: f64 = 0.1;
/// Requests in the second after an outage, for each call of a usual second.
const MOST_AT_ONCE: f64 = 10.0;
