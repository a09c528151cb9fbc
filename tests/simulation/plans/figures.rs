use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use http::Method;

use super::call::{Call, End};
use super::scenario::Scenario;
use crate::provider::log::{Did, Log};
use crate::provider::plan::Mode;

/// What the calls of a scenario came to, and what the provider's log says of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) calls: usize,
    pub(crate) answered: usize,
    /// Answered while a person still waited.
    pub(crate) useful: usize,
    /// Seconds of traffic that came to nothing after a return of the provider; the worst return.
    pub(crate) lost_after: f64,
    /// From a return of the provider to the first second of which 99 % are useful; the worst return.
    /// Absent where there was no such second.
    pub(crate) recovered_after: Option<Duration>,
    /// Calls made while nothing was answered.
    pub(crate) calls_while_down: usize,
    /// Requests meanwhile.
    pub(crate) requests_while_down: usize,
    /// Requests in the first second after it, for each call that is made in a second.
    pub(crate) first_second_back: f64,
    /// From the end of the last outage to the last answer for a call made before; none where one of
    /// these was not answered.
    pub(crate) done_after: Option<Duration>,
    /// How long calls waited that came to nothing, on average. Absent where one still waits.
    pub(crate) wait_in_vain: Option<Duration>,
    /// Requests in the worst second, for each call that is made in a second.
    pub(crate) worst_second: f64,
    /// Refused by the client, though the provider was well or had been back for a second or two.
    pub(crate) refused_while_well: usize,
    /// Not over when everything was.
    pub(crate) unfinished: usize,
    /// Unsafe calls that the provider read and never answered.
    pub(crate) unknown: usize,
    /// Unsafe calls that it did more than once.
    pub(crate) done_twice: usize,
}

impl Figures {
    pub(super) fn count(scenario: &Scenario, calls: &[Call], log: &Log) -> Self {
        let count = |which: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| which(call)).count();
        let arrivals: Vec<_> = log
            .entries
            .iter()
            .filter(|entry| matches!(entry.did, Did::Arrived | Did::Refused))
            .map(|entry| entry.at)
            .collect();
        let down = |at: Duration| scenario.outages().any(|outage| outage.contains(&at));
        let (unknown, done_twice) = unsafe_calls(log);
        Self {
            calls: calls.len(),
            answered: count(&|call| call.came_to(End::Answered)),
            useful: count(&|call| call.is_answered_within(scenario.useful_within)),
            lost_after: lost_after(scenario, calls),
            recovered_after: recovered_after(scenario, calls),
            calls_while_down: count(&|call| down(call.began)),
            requests_while_down: arrivals.iter().filter(|at| down(**at)).count(),
            first_second_back: first_second_back(scenario, &arrivals),
            done_after: done_after(scenario, calls),
            wait_in_vain: wait_in_vain(calls),
            worst_second: worst_second(&arrivals) / scenario.rate.max(1.0),
            refused_while_well: refused_while_well(scenario, calls),
            unfinished: count(&|call| call.end.is_none()),
            unknown,
            done_twice,
        }
    }

    /// All of these together; of what is the worst, the worst.
    pub(crate) fn sum(of: &[Self]) -> Self {
        let total = |field: &dyn Fn(&Self) -> usize| of.iter().map(field).sum();
        let worst = |field: &dyn Fn(&Self) -> f64| of.iter().map(field).fold(0.0, f64::max);
        let mean = of.iter().map(|of| of.wait_in_vain).sum::<Option<Duration>>();
        Self {
            calls: total(&|of| of.calls),
            answered: total(&|of| of.answered),
            useful: total(&|of| of.useful),
            lost_after: worst(&|of| of.lost_after),
            recovered_after: all(of.iter().map(|of| of.recovered_after)),
            calls_while_down: total(&|of| of.calls_while_down),
            requests_while_down: total(&|of| of.requests_while_down),
            first_second_back: worst(&|of| of.first_second_back),
            done_after: all(of.iter().map(|of| of.done_after)),
            wait_in_vain: mean.map(|sum| sum / of.len().max(1) as u32),
            worst_second: worst(&|of| of.worst_second),
            refused_while_well: total(&|of| of.refused_while_well),
            unfinished: total(&|of| of.unfinished),
            unknown: total(&|of| of.unknown),
            done_twice: total(&|of| of.done_twice),
        }
    }

    pub(crate) fn useful_share(&self) -> f64 {
        self.useful as f64 / self.calls.max(1) as f64
    }

    /// Requests while nothing was answered, for each call that was made meanwhile.
    pub(crate) fn load_while_down(&self) -> f64 {
        self.requests_while_down as f64 / self.calls_while_down.max(1) as f64
    }
}

fn lost_after(scenario: &Scenario, calls: &[Call]) -> f64 {
    let lost = |phase: &Range<Duration>| {
        let useless = during(calls, phase);
        useless.filter(|call| !call.is_answered_within(scenario.useful_within)).count()
    };
    scenario.returns().map(|phase| lost(&phase)).max().unwrap_or(0) as f64 / scenario.rate
}

/// The longest of these; none where one is none.
fn all(times: impl Iterator<Item = Option<Duration>>) -> Option<Duration> {
    times.collect::<Option<Vec<_>>>().map(|times| times.into_iter().max().unwrap_or_default())
}

fn recovered_after(scenario: &Scenario, calls: &[Call]) -> Option<Duration> {
    all(scenario.returns().map(|phase| {
        let useful = |from: Duration| {
            let second = during(calls, &(from..from + SECOND));
            second.fold((0, 0), |(calls, useful), call| {
                let is_useful = call.is_answered_within(scenario.useful_within);
                (calls + 1, useful + usize::from(is_useful))
            })
        };
        // A second that is better than those before it begins behind a call.
        let behind = during(calls, &phase).map(|call| call.began + Duration::from_nanos(1));
        let mut seconds = std::iter::once(phase.start).chain(behind);
        let is_good = |from: &Duration| {
            let (calls, useful) = useful(*from);
            from.saturating_add(SECOND) <= phase.end && useful * 100 >= calls * 99
        };
        seconds.find(is_good).map(|from| from - phase.start)
    }))
}

/// The calls made in this time. They stand in the order in which they were made.
fn during<'a>(
    calls: &'a [Call],
    time: &Range<Duration>,
) -> impl Iterator<Item = &'a Call> + use<'a> {
    let from = calls.partition_point(|call| call.began < time.start);
    let to = calls.partition_point(|call| call.began < time.end);
    calls[from..to].iter()
}

fn first_second_back(scenario: &Scenario, arrivals: &[Duration]) -> f64 {
    let in_first = |outage: Range<Duration>| {
        let second = outage.end..outage.end + SECOND;
        arrivals.iter().filter(|at| second.contains(*at)).count()
    };
    let most = scenario.outages().map(in_first).max().unwrap_or(0);
    most as f64 / scenario.rate.max(1.0)
}

fn done_after(scenario: &Scenario, calls: &[Call]) -> Option<Duration> {
    let back = scenario.outages().last().unwrap_or_default().end;
    let before = during(calls, &(Duration::ZERO..back));
    all(before.map(|call| match call.end {
        Some((End::Answered, at)) => Some(at.saturating_sub(back)),
        _ => None,
    }))
}

fn wait_in_vain(calls: &[Call]) -> Option<Duration> {
    let vain = calls.iter().filter(|call| !call.came_to(End::Answered));
    let waits = vain.map(Call::wait).collect::<Option<Vec<_>>>()?;
    Some(waits.iter().sum::<Duration>() / waits.len().max(1) as u32)
}

fn worst_second(arrivals: &[Duration]) -> f64 {
    let mut seconds: HashMap<u64, usize> = HashMap::new();
    for at in arrivals {
        *seconds.entry(at.as_secs()).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or(0) as f64
}

fn refused_while_well(scenario: &Scenario, calls: &[Call]) -> usize {
    let well = scenario.times().filter(|(mode, _)| *mode == Mode::Ok);
    well.map(|(_, phase)| {
        let grace = if phase.start.is_zero() { Duration::ZERO } else { scenario.grace() };
        let calls = during(calls, &(phase.start + grace..phase.end.max(phase.start + grace)));
        calls.filter(|call| call.came_to(End::Refused)).count()
    })
    .sum()
}

/// How many unsafe calls were read and never answered, and how many were done more than once.
fn unsafe_calls(log: &Log) -> (usize, usize) {
    let mut posts: HashMap<&str, (bool, bool, usize)> = HashMap::new();
    for (entry, seen) in log.since(0).filter(|(_, seen)| seen.method == Method::POST) {
        let (arrived, answered, done) = posts.entry(&seen.path).or_default();
        match entry.did {
            Did::Arrived => *arrived = true,
            Did::Answered(_) => *answered = true,
            Did::Executed => *done += 1,
            _ => {}
        }
    }
    let unknown = posts.values().filter(|(arrived, answered, _)| *arrived && !answered).count();
    (unknown, posts.values().filter(|(.., done)| *done > 1).count())
}

const SECOND: Duration = Duration::from_secs(1);
