//! What the pages say, in plain sentences. All texts about how an integration is stand here.

use std::time::{Duration, SystemTime};

use super::minutes::{Kind, LATELY, Minute};
use crate::control::{ControlState, Health};
use crate::rt::clamp_to_year_9999;
use crate::terms::{BreakerState, Status};

/// How it is for people: while a breaker lets single calls try, nothing has answered yet.
pub(super) fn status_of(health: &Health, lately: &Minute) -> Status {
    match (health.status, health.breaker.map(|breaker| breaker.state)) {
        (Status::Degraded, Some(BreakerState::HalfOpen)) => Status::Down,
        (Status::Up, _) if fails(lately) => Status::Degraded,
        (status, _) => status,
    }
}

/// Whether the provider failed one call in twenty, of twenty at least: what a person would want to know of.
fn fails(lately: &Minute) -> bool {
    lately.calls() >= 20 && lately.of(Kind::Theirs) * 20 >= lately.calls()
}

/// How it is, in a sentence or two.
pub(super) fn sentence(health: &Health, lately: &Minute, now: SystemTime) -> String {
    let name = &health.integration;
    let span = health
        .since
        .map(|since| format!(" for {}", time(now.duration_since(since).unwrap_or_default())));
    let span = span.unwrap_or_default();
    match status_of(health, lately) {
        Status::Up => format!("{name} works."),
        Status::Stopped => {
            let by = moved(health, "kill_switch").map(by).unwrap_or_default();
            format!("{name} has been stopped{span}{by}.")
        }
        Status::Down => {
            let held = health.breaker.map_or(0, |breaker| breaker.held);
            let then = match held {
                0 => "Calls are refused at once; some try whether it is back.".to_owned(),
                held => format!("{held} calls wait; some try whether it is back."),
            };
            format!("{name} has been down{span}: nothing answers. {then}")
        }
        _ if health.status == Status::Up => {
            let (failed, calls) = (lately.of(Kind::Theirs), lately.calls());
            format!(
                "{name} answers, but failed {failed} of {calls} calls in the last {LATELY} minutes."
            )
        }
        _ => format!("{name}: {}.", unusual(health)),
    }
}

/// What is unusual, the first of what there is.
fn unusual(health: &Health) -> String {
    if health.is_injecting_faults {
        return "faults are injected on purpose".to_owned();
    }
    if let Some(control) = health.controls.iter().find(|control| !control.is_default) {
        return format!("{} is at {}{}", control_name(control.name), control.position, by(control));
    }
    if let Some(pause) = health.rate_limit.paused_for {
        return format!("the provider asked for a pause, {} more", time(pause));
    }
    if let Some(breakers) = health.keyed_breakers.filter(|breakers| breakers.open > 0) {
        return format!("nothing answers for {} of {} keys", breakers.open, breakers.keys);
    }
    match health.breaker.map(|breaker| breaker.state) {
        Some(BreakerState::Open) => {
            "its circuit breaker, which only reports, says that nothing answers".to_owned()
        }
        _ => "something is unusual".to_owned(),
    }
}

/// ` by ada: the mails look odd`.
fn by(control: &ControlState) -> String {
    let who = control.who.as_deref().filter(|who| !who.is_empty());
    let why = control.why.as_deref().filter(|why| !why.is_empty());
    let who = who.map(|who| format!(" by {who}")).unwrap_or_default();
    who + &why.map(|why| format!(": {why}")).unwrap_or_default()
}

fn moved<'a>(health: &'a Health, name: &str) -> Option<&'a ControlState> {
    health.controls.iter().find(|control| control.name == name && !control.is_default)
}

/// The state in a word.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Up => "works",
        Status::Degraded => "look here",
        Status::Down => "down",
        Status::Stopped => "stopped",
    }
}

/// A shape beside the word, so that it isn't told by colour alone.
pub(super) fn shape(status: Status) -> &'static str {
    match status {
        Status::Up => "●",
        Status::Degraded => "▲",
        Status::Down => "■",
        _ => "◼",
    }
}

/// Worst first.
pub(super) fn rank(health: &Health, lately: &Minute) -> u8 {
    match status_of(health, lately) {
        Status::Down => 0,
        Status::Stopped => 1,
        Status::Degraded => 2,
        _ => 3,
    }
}

/// What of it waits for a person.
pub(super) fn needs_person(health: &Health, lately: &Minute) -> bool {
    status_of(health, lately) != Status::Up
        || health.controls.iter().any(|control| control.has_error)
}

/// A control's name for people.
pub(super) fn control_name(name: &str) -> &str {
    match name {
        "kill_switch" => "the kill switch",
        "circuit_breaker" => "the circuit breaker",
        "fault_injection" => "fault injection",
        other => other,
    }
}

/// What a position does.
pub(super) fn position(control: &str, position: &str) -> Option<&'static str> {
    Some(match (control, position) {
        ("kill_switch", "on") => "calls go out",
        ("kill_switch", "off") => "no call goes out; each is refused as not sent",
        ("kill_switch", "fallback-only") => "no call goes out; users get the fallback",
        ("kill_switch", "cache-only") => "no call goes out; users get what the cache knows",
        ("kill_switch", "no-retries") => "each call is sent once",
        ("circuit_breaker", "automatic") => "it decides by itself",
        ("circuit_breaker", "open") => "calls are refused, whatever the provider does",
        ("circuit_breaker", "closed") => "calls go out, whatever the provider does",
        ("fault_injection", "off") => "no faults are injected",
        _ => return None,
    })
}

/// The figures of the last minutes.
pub(super) fn figures(lately: &Minute) -> Vec<(&'static str, String)> {
    let calls = lately.calls();
    if calls == 0 {
        return vec![("calls", format!("none in {LATELY} minutes"))];
    }
    let of = |kind| format!("{} of {calls}", lately.of(kind));
    let mut figures = vec![
        ("calls a minute", format!("{}", calls.div_ceil(LATELY as u32))),
        ("answered", of(Kind::Answered)),
    ];
    let others = [
        (Kind::Theirs, "the provider failed"),
        (Kind::Ours, "our requests were wrong"),
        (Kind::Refused, "refused here"),
        (Kind::Left, "the caller left"),
    ];
    figures.extend(
        others
            .iter()
            .filter(|(kind, _)| lately.of(*kind) > 0)
            .map(|(kind, name)| (*name, of(*kind))),
    );
    figures.extend(lately.p95().map(|p95| ("95 of 100 took at most", time(p95))));
    figures
}

/// A duration in one or two units: `250 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d`.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => match seconds % 3600 / 60 {
            0 => format!("{} h", seconds / 3600),
            minutes => format!("{} h {minutes} min", seconds / 3600),
        },
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `2026-12-01T14:02:11Z`, for machines and as the text where no script runs.
pub(super) fn date(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(clamp_to_year_9999(at)).to_string()
}

/// Text of strangers: control characters are shown, what turns the direction of writing is taken out, and it is cut.
pub(super) fn shown(text: &str) -> String {
    let plain = text.chars().take(MOST).map(|sign| match sign {
        '\n' | '\t' => sign,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + sign as u32).unwrap_or('␀'),
        '\u{7f}'..='\u{9f}' => '␡',
        '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '␣',
        _ => sign,
    });
    let mut plain: String = plain.collect();
    if text.chars().nth(MOST).is_some() {
        plain.push('…');
    }
    plain
}

/// What is recorded of a text that somebody typed.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(LINE).collect()
}

/// The longest reason, in characters.
const LINE: usize = 500;
/// The longest text of a stranger, in characters.
const MOST: usize = 16_384;
