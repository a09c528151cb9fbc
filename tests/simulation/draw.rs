//! Draws the parts of a world.

use std::time::Duration;

use http::Method;
use outrigger::event::{BreakerState, SwitchMode};
use outrigger::retry::Steer;

use crate::clock::{millis, secs};
use crate::provider::chance::Chance;
use crate::provider::plan::{Mode, Plan};
use crate::spec::{Act, CallSpec, Patience, Preset, Reading, Upload};

/// Lines of settings over a preset; in a quarter of the worlds there are none.
pub(crate) fn settings(preset: Preset, chance: &mut Chance) -> Vec<String> {
    let mut lines = Vec::new();
    if chance.hits(0.25) {
        return lines;
    }
    let mut maybe = |share: f64, lines_of: fn(Preset, &mut Chance) -> Vec<String>| {
        if chance.hits(share) {
            lines.extend(lines_of(preset, chance));
        }
    };
    maybe(0.5, limits);
    maybe(0.5, retries);
    maybe(0.5, budget);
    maybe(0.4, breaker);
    maybe(0.4, bulkhead);
    maybe(0.2, rate_limit);
    maybe(0.2, hedge);
    maybe(0.2, keys);
    within_budget(lines)
}

/// No more attempts than a call alone can pay for, which would be refused.
fn within_budget(mut lines: Vec<String>) -> Vec<String> {
    let set = |lines: &[String], key: &str| {
        let at = lines.iter().position(|line| line.starts_with(key))?;
        Some((at, lines[at][key.len()..].parse::<u32>().ok()?))
    };
    let burst = set(&lines, "retry.budget.burst = ");
    let attempts = set(&lines, "retry.max_attempts = ");
    if let (Some((_, burst)), Some((at, attempts))) = (burst, attempts) {
        lines[at] = format!("retry.max_attempts = {}", attempts.min(burst + 1));
    }
    lines
}

fn limits(preset: Preset, chance: &mut Chance) -> Vec<String> {
    let attempts = match preset {
        Preset::UserFlow => [millis(200), secs(1), secs(2)],
        Preset::Background => [secs(1), secs(5), secs(20)],
    };
    let attempt = chance.pick(&attempts);
    let deadline = attempt * chance.pick(&[1, 2, 3, 8]);
    let mut lines = vec![line("timeout.attempt", attempt), line("deadline", deadline)];
    if chance.hits(0.3) {
        lines.push(line("timeout.response_head", attempt / 2));
    }
    if chance.hits(0.5) {
        lines.push(line("idle_timeout", chance.time(millis(50), secs(5))));
    }
    lines
}

fn retries(preset: Preset, chance: &mut Chance) -> Vec<String> {
    let base = chance.time(millis(1), millis(500));
    let mut lines = vec![
        format!("retry.max_attempts = {}", chance.between(1, 5)),
        line("retry.backoff.base", base),
        line("retry.backoff.cap", base * chance.pick(&[2, 4, 20])),
        format!(
            "retry.backoff.jitter = '{}'",
            chance.pick(&["full", "equal", "decorrelated", "none"])
        ),
    ];
    if preset == Preset::UserFlow && chance.hits(0.2) {
        lines.push("retry.rejections = 'wait'".into());
    }
    lines
}

fn budget(_: Preset, chance: &mut Chance) -> Vec<String> {
    vec![
        format!("retry.budget.ratio = '{}%'", chance.pick(&[0, 10, 20, 50])),
        format!("retry.budget.floor = {}", chance.between(0, 3)),
        format!("retry.budget.burst = {}", chance.pick(&[1, 2, 5, 20])),
        line("retry.budget.floor_period", chance.pick(&[secs(1), secs(10)])),
    ]
}

fn breaker(preset: Preset, chance: &mut Chance) -> Vec<String> {
    if preset == Preset::UserFlow && chance.hits(0.2) {
        return vec!["circuit_breaker.enabled = false".into()];
    }
    let base = chance.pick(&[millis(100), millis(500), secs(2), secs(5)]);
    let probes = chance.between(1, 3);
    let mut lines = vec![
        "circuit_breaker.enabled = true".into(),
        line("circuit_breaker.open_for", base),
        line("circuit_breaker.open_cap", base * chance.pick(&[1, 2, 4])),
        format!("circuit_breaker.probes = {probes}"),
        format!("circuit_breaker.probe_successes = {}", chance.between(1, probes)),
        format!("circuit_breaker.consecutive = {}", chance.between(1, 6)),
        format!(
            "circuit_breaker.throttled = '{}'",
            chance.pick(&["probes-only", "always", "never"])
        ),
    ];
    if chance.hits(0.3) {
        lines.push(line("circuit_breaker.probe_limit", secs(60)));
    }
    lines.push(match chance.hits(0.3) {
        true => format!("circuit_breaker.window_calls = {}", chance.between(20, 50)),
        false => line("circuit_breaker.window", secs(60)),
    });
    lines
}

fn bulkhead(_: Preset, chance: &mut Chance) -> Vec<String> {
    let mut lines = vec![
        format!("bulkhead.concurrency = {}", chance.between(1, 8)),
        format!("bulkhead.queue = {}", chance.pick(&[0, 1, 4, 20])),
    ];
    if chance.hits(0.5) {
        lines.push(line("bulkhead.queue_wait", chance.time(millis(10), secs(5))));
    }
    if chance.hits(0.2) {
        lines.push(format!("bulkhead.adaptive = '{}'", chance.pick(&["aimd", "gradient"])));
    }
    lines
}

fn rate_limit(_: Preset, chance: &mut Chance) -> Vec<String> {
    let mut lines = vec![
        format!("rate_limit.requests = {}", chance.between(1, 20)),
        line("rate_limit.per", chance.pick(&[millis(500), secs(1), secs(5)])),
        format!("rate_limit.burst = {}", chance.between(1, 5)),
        format!("rate_limit.on_limit = '{}'", chance.pick(&["reject", "shape"])),
    ];
    if chance.hits(0.3) {
        lines.push(line("rate_limit.max_wait", chance.time(millis(50), secs(5))));
    }
    lines
}

fn hedge(_: Preset, chance: &mut Chance) -> Vec<String> {
    vec![match chance.hits(0.7) {
        true => line("hedge.after", chance.time(millis(10), millis(150))),
        false => "hedge.quantile = '95%'".into(),
    }]
}

fn keys(_: Preset, chance: &mut Chance) -> Vec<String> {
    vec![
        format!("idempotency.key_source = '{}'", chance.pick(&["caller-or-generated", "caller"])),
        format!("idempotency.methods = '{}'", chance.pick(&["unsafe", "writing"])),
        format!("idempotency.honoured = '{}'", chance.pick(&["callers-only", "all"])),
    ]
}

pub(crate) fn plan(chance: &mut Chance) -> Plan {
    let mut plan = Plan::new(chance.next())
        .service_time(chance.pick(&[millis(1), millis(20), millis(20), millis(80)]))
        .frames(chance.pick(&[0, 1, 1, 3]))
        .honours_keys(chance.hits(0.8))
        .cancels(chance.hits(0.3))
        .dates(chance.hits(0.3))
        .done_unanswered(chance.pick(&[0.0, 0.5, 1.0]));
    if chance.hits(0.2) {
        plan = plan.capacity(chance.pick(&[20, 50]));
    }
    for _ in 0..chance.between(0, 4) {
        let lasts = match chance.hits(0.1) {
            true => chance.time(secs(60), secs(600)),
            false => chance.time(millis(200), secs(20)),
        };
        let mode = mode(chance);
        plan = plan.then(mode, lasts);
    }
    plan
}

fn mode(chance: &mut Chance) -> Mode {
    let share = chance.pick(&[0.05, 0.3, 0.5, 0.8, 1.0]);
    let after = chance.pick(&[None, Some(secs(1)), Some(secs(3)), Some(secs(30))]);
    match chance.between(0, 15) {
        0..=2 => Mode::Ok,
        3 | 4 => {
            let slow = chance.hits(0.3).then(|| chance.time(millis(100), secs(4)));
            Mode::Errors { share, slow }
        }
        5 => Mode::Reset,
        6 => Mode::Unavailable { retry_after: after },
        7 => Mode::Hang,
        8 => Mode::Stuck,
        9 => Mode::Limited { per_second: chance.pick(&[0, 1, 5]), retry_after: after },
        10 => Mode::OddUnavailable { share, retry_after: after.unwrap_or(secs(2)) },
        11 => Mode::Endpoint { of: chance.between(1, 4) },
        12 => Mode::Warming { share },
        13 => Mode::Drip {
            frames: chance.pick(&[2, 10, 1_000]),
            gap: chance.pick(&[millis(10), millis(500), secs(1)]),
        },
        14 => Mode::Refuse,
        _ => Mode::Slow { answer: chance.time(millis(100), secs(5)) },
    }
}

/// Calls in the time of a plan and a little longer.
pub(crate) fn calls(preset: Preset, plan: &Plan, chance: &mut Chance) -> Vec<CallSpec> {
    let number = chance.between(1, 40);
    let length = plan.length() + secs(2);
    let even = length / number as u32;
    // In a third of the worlds, all come within a second or two.
    let most = if chance.hits(0.3) { even.min(millis(60)) } else { even * 2 };
    let burst = chance.pick(&[0.0, 0.1, 0.5]);
    let writing = chance.pick(&[0.0, 0.3, 0.7]);
    let fickle = chance.pick(&[0.0, 0.1, 0.4]);
    let mut at = Duration::ZERO;
    let mut calls = Vec::new();
    for _ in 0..number {
        if !chance.hits(burst) {
            at += chance.time(Duration::ZERO, most);
        }
        calls.push(call(preset, at, [writing, fickle], chance));
    }
    calls
}

fn call(preset: Preset, at: Duration, shares: [f64; 2], chance: &mut Chance) -> CallSpec {
    let [writing, fickle] = shares;
    let mut call = CallSpec::get(at);
    if chance.hits(writing) {
        call.method = chance.pick(&[Method::POST, Method::POST, Method::PATCH, Method::PUT]);
        call.keyed = chance.hits(0.4);
        call.body = match chance.between(0, 3) {
            0 => Upload::Nothing,
            1 | 2 => Upload::Bytes(chance.between(1, 2_000) as usize),
            _ => Upload::Stream(chance.between(1, 4) as u32, chance.time(millis(0), millis(300))),
        };
    }
    if chance.hits(0.1) {
        call.limit = Some(chance.time(millis(1), secs(10)));
    }
    if chance.hits(0.1) {
        call.steer = Some(chance.pick(&[Steer::Never, Steer::Once, Steer::Safe]));
    }
    if chance.hits(fickle) {
        call.patience = match chance.hits(0.5) {
            true => Patience::Polls(chance.between(0, 8) as u32),
            false => Patience::Time(chance.time(millis(0), secs(6))),
        };
    }
    if chance.hits(0.3) {
        let longest = if preset == Preset::UserFlow { secs(12) } else { secs(40) };
        call.reading = match chance.between(0, 4) {
            0 => Reading::Nothing,
            1 => Reading::One,
            2 => Reading::Slowly(chance.time(millis(10), secs(4))),
            _ => Reading::Keeps(chance.time(millis(10), longest)),
        };
    }
    call
}

/// What is done to the integration until `end`.
pub(crate) fn acts(preset: Preset, end: Duration, chance: &mut Chance) -> Vec<(Duration, Act)> {
    let mut acts = Vec::new();
    if chance.hits(0.5) {
        return acts;
    }
    for _ in 0..chance.between(1, 5) {
        acts.push((chance.time(Duration::ZERO, end), act(preset, chance)));
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

fn act(preset: Preset, chance: &mut Chance) -> Act {
    match chance.between(0, 9) {
        0 | 1 => {
            let kinds = [limits, retries, breaker, bulkhead, rate_limit, hedge, keys];
            Act::Apply(chance.pick(&kinds)(preset, chance))
        }
        2 | 3 => Act::Switch(chance.pick(&SwitchMode::ALL)),
        4 => Act::Switch(SwitchMode::On),
        5 => Act::Force(chance.pick(&[None, Some(BreakerState::Open), Some(BreakerState::Closed)])),
        6 => Act::Force(None),
        7 => Act::Jump(chance.pick(&[millis(100), secs(3), secs(60), secs(7_200)])),
        8 => Act::Pause(chance.time(millis(100), secs(5))),
        _ => Act::Forget,
    }
}

fn line(key: &str, time: Duration) -> String {
    format!("{key} = '{}ms'", time.as_millis())
}
