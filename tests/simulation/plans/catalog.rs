//! The scenarios: bad days as providers have them.

use std::time::Duration;

use super::scenario::Scenario;
use crate::provider::plan::Mode;

/// What a person's calls live through.
pub(crate) fn persons() -> Vec<Scenario> {
    let mut all = vec![demo()];
    all.extend(outages());
    all.extend(errors());
    all.extend(odd());
    all
}

/// What jobs live through.
pub(crate) fn jobs() -> Vec<Scenario> {
    let hour = |name, mode| outage(name, mode, 3_600).job_deadline(2 * HOUR);
    vec![
        demo(),
        outage("reset 20 s", Mode::Reset, 20),
        outage("stuck 20 s", Mode::Stuck, 20),
        outage("2/s, 503 for 20 s", UNAVAILABLE, 20).rate(2.0),
        outage("reset 5 min", Mode::Reset, 300),
        outage("stuck 5 min", Mode::Stuck, 300),
        outage("1 job in 10 s, 503 for 5 min", UNAVAILABLE, 300).rate(0.1),
        outage("three instances, reset 5 min", Mode::Reset, 300).rate(60.0).clients(3),
        hour("reset 1 h, deadline 2 h", Mode::Reset),
        hour("stuck 1 h, deadline 2 h", Mode::Stuck),
        outage("5,000 jobs as a minute of resets begins", Mode::Reset, 60)
            .burst(120, 5_000)
            .done_within(Duration::from_secs(120)),
        failing(50),
        failing(80),
    ]
}

/// What `cargo run --example outage` shows, as far as a provider without a bound on its work can.
pub(crate) fn demo() -> Scenario {
    let brownout = Mode::Errors { share: 0.5, slow: Some(Duration::from_millis(200)) };
    Scenario::new("the demo's script")
        .healthy(30)
        .then(brownout, 6)
        .then(Mode::Limited { per_second: 15, retry_after: Some(Duration::from_secs(1)) }, 3)
        .then(Mode::Hang, 7)
        .then(Mode::Reset, 2)
        .then(Mode::Reset, 20)
        .recovers(9)
}

fn outages() -> Vec<Scenario> {
    let partly = |name: &str, share: f64, seconds: u64| {
        Scenario::new(name)
            .then(Mode::Reset, 60)
            .then(Mode::Warming { share }, seconds)
            .recovers(60)
    };
    vec![
        outage("reset 20 s", Mode::Reset, 20),
        outage("stuck 20 s", Mode::Stuck, 20),
        outage("refused 20 s", Mode::Refuse, 20),
        outage("5/s, reset 20 s", Mode::Reset, 20).rate(5.0),
        outage("reset 5 min", Mode::Reset, 300),
        outage("stuck 5 min", Mode::Stuck, 300),
        outage("reset 1 h", Mode::Reset, 3_600),
        outage("stuck 1 h", Mode::Stuck, 3_600),
        outage("1/s, reset 2 min", Mode::Reset, 120).rate(1.0),
        outage("1 call in 10 s, reset 10 min", Mode::Reset, 600).rate(0.1),
        outage("1,000/s, reset 20 s", Mode::Reset, 20).rate(1_000.0),
        outage("1,000/s, stuck 20 s", Mode::Stuck, 20).rate(1_000.0),
        outage("three instances, reset 1 min", Mode::Reset, 60).rate(60.0).clients(3),
        outage("three instances, stuck 1 min", Mode::Stuck, 60).rate(60.0).clients(3),
        (0..6).fold(Scenario::new("5 s down, 5 s up, six times"), |scenario, _| {
            scenario.then(Mode::Reset, 5).recovers(5)
        }),
        partly("reset 1 min, half of it for 10 s", 0.5, 10),
        partly("reset 1 min, a fifth of it for 30 s", 0.2, 30),
    ]
}

fn errors() -> Vec<Scenario> {
    let fast = |percent: u32| {
        let errors = Mode::Errors { share: f64::from(percent) / 100.0, slow: None };
        let scenario = Scenario::new(format!("1,000/s, errors {percent} %")).rate(1_000.0);
        scenario.healthy(30).then(errors, 60).recovers(30)
    };
    let slow = |seconds: u64| {
        let mode = Mode::Slow { answer: Duration::from_secs(seconds) };
        Scenario::new(format!("answers in {seconds} s")).then(mode, 240).recovers(60)
    };
    let errors = [10, 30, 50, 80, 95].map(failing);
    errors.into_iter().chain([fast(50), fast(80), slow(1), slow(4)]).collect()
}

fn odd() -> Vec<Scenario> {
    let odd = Mode::OddUnavailable { share: 0.01, retry_after: Duration::from_secs(30) };
    let after = Mode::Unavailable { retry_after: Some(Duration::from_secs(120)) };
    let limited = Mode::Limited { per_second: 10, retry_after: None };
    let drip = Mode::Drip { frames: 10, gap: Duration::from_millis(200) };
    vec![
        bursts(50),
        bursts(100),
        Scenario::new("bodies drip for 2 s").then(drip, 120).recovers(60),
        Scenario::new("1 endpoint of 4 fails").then(Mode::Endpoint { of: 4 }, 120).recovers(60),
        Scenario::new("1 % 503, Retry-After 30, 2 min").then(odd, 120).recovers(60),
        // Its next call is put off by 10 s at most, whatever it asks for.
        outage("503, Retry-After 120, back after 20 s", after, 20)
            .recovers_within(10)
            .asks_for_time(),
        // What was felt out is forgotten after 10 s.
        Scenario::new("429 over 10/s, 1 min")
            .then(limited, 60)
            .recovers(600)
            .over_a_limit()
            .recovers_within(15),
    ]
}

/// So many calls at once, eleven times in two healthy minutes.
fn bursts(calls: usize) -> Scenario {
    let name = format!("well, bursts of {calls} every 10 s");
    (1..12).fold(Scenario::new(name), |scenario, burst| scenario.burst(10 * burst, calls))
}

/// Two healthy minutes, then nothing is answered, then one more.
pub(crate) fn outage(name: &str, mode: Mode, seconds: u64) -> Scenario {
    Scenario::new(name).then(mode, seconds).recovers(60)
}

/// So many of a hundred answers are errors.
pub(crate) fn failing(percent: u32) -> Scenario {
    let errors = Mode::Errors { share: f64::from(percent) / 100.0, slow: None };
    Scenario::new(format!("errors {percent} %")).then(errors, 240).recovers(60)
}

const UNAVAILABLE: Mode = Mode::Unavailable { retry_after: None };
const HOUR: Duration = Duration::from_secs(3_600);
