use crate::plans::catalog::{self, outage};
use crate::plans::figures::Figures;
use crate::plans::scenario::Scenario;
use crate::plans::stack::Stack;
use crate::plans::{bars, run};
use crate::provider::plan::Mode;

/// Lives through those scenarios of the catalogue, beside a bare client.
fn holds_in(names: &[&str]) {
    let all = catalog::persons();
    let named = |name: &&str| all.iter().find(|scenario| scenario.name == *name);
    holds(names.iter().map(|name| named(name).expect(name).clone()));
}

fn holds(scenarios: impl IntoIterator<Item = Scenario>) {
    holds_over(1, scenarios);
}

/// In the mean of so many worlds: by chance, one in a few is a little worse.
fn holds_over(worlds: u64, scenarios: impl IntoIterator<Item = Scenario>) {
    let broken = scenarios.into_iter().flat_map(|scenario| {
        let [bare, ours] = [Stack::Bare, Stack::UserFlow].map(|stack| {
            let lived: Vec<_> = (1..=worlds).map(|seed| run(&scenario, stack, seed)).collect();
            Figures::sum(&lived)
        });
        bars::persons(&scenario, &bare, &ours)
    });
    let broken: Vec<_> = broken.collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn a_bad_minute_of_everything_is_no_worse_than_with_a_bare_client() {
    holds_in(&["the demo's script"]);
}

#[test]
fn twenty_seconds_down_are_over_when_they_are() {
    holds_in(&["reset 20 s", "stuck 20 s", "refused 20 s", "5/s, reset 20 s"]);
}

#[test]
fn five_minutes_down_are_over_when_they_are() {
    holds_in(&["reset 5 min", "stuck 5 min"]);
}

#[test]
fn an_hour_down_is_over_when_it_is() {
    // Fewer calls, so that it is soon lived through.
    let hours = [Mode::Reset, Mode::Stuck].map(|mode| outage("an hour", mode, 3_600).rate(5.0));
    holds(hours);
}

#[test]
fn few_calls_are_as_well_off_as_many() {
    holds_in(&["1/s, reset 2 min", "1 call in 10 s, reset 10 min"]);
}

#[test]
fn three_instances_come_back_together() {
    holds_in(&["three instances, reset 1 min", "three instances, stuck 1 min"]);
}

#[test]
fn what_comes_and_goes_is_used_while_it_is_there() {
    let half = "reset 1 min, half of it for 10 s";
    holds_in(&[half, "reset 1 min, a fifth of it for 30 s"]);
    let flaps = |scenario: &Scenario| scenario.name == "5 s down, 5 s up, six times";
    holds_over(3, catalog::persons().into_iter().filter(flaps));
}

#[test]
fn a_provider_that_answers_some_calls_is_asked_on() {
    holds_in(&["errors 10 %", "errors 30 %", "errors 50 %", "errors 80 %", "errors 95 %"]);
}

#[test]
fn what_one_answer_asks_for_costs_the_other_calls_nothing() {
    let odd = "1 % 503, Retry-After 30, 2 min";
    holds_in(&[odd, "503, Retry-After 120, back after 20 s", "1 endpoint of 4 fails"]);
}

#[test]
fn more_calls_at_once_than_usual_are_answered_by_a_provider_that_is_well() {
    holds_in(&["well, bursts of 50 every 10 s", "bodies drip for 2 s", "answers in 1 s"]);
}

#[test]
fn a_limit_that_is_over_is_soon_forgotten() {
    holds_in(&["429 over 10/s, 1 min"]);
}
