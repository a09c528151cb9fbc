//! What the pages say, in plain sentences. All texts about how an integration is stand here.

use std::time::SystemTime;

use super::minutes::{Kind, LATELY, Minute};
pub(super) use super::text::{cut, date, shown, time};
use crate::control::{BreakerHealth, ControlState, Health};
use crate::terms::outbox::State;
use crate::terms::{BreakerState, Delivery, Status};

/// How it is for people: while a breaker lets single calls try, nothing has answered yet. One that only reports
/// lets all of them go out.
pub(super) fn status_of(health: &Health, lately: &Minute) -> Status {
    let refuses = health
        .breaker
        .is_some_and(|breaker| breaker.state == BreakerState::HalfOpen && !breaker.is_report_only);
    match health.status {
        Status::Degraded if refuses => Status::Down,
        Status::Up if fails(lately) => Status::Degraded,
        status => status,
    }
}

/// Whether the provider failed one call in twenty, of twenty at least: what a person would want to know of.
fn fails(lately: &Minute) -> bool {
    lately.calls() >= 20 && lately.failed() * 20 >= lately.calls()
}

/// How it is, in a sentence or two, and what users get.
pub(super) fn sentence(health: &Health, lately: &Minute, now: SystemTime) -> String {
    let calls = lately.calls();
    let instead = [(Kind::Fallback, fallback(health)), (Kind::Stale, "an old answer".to_owned())];
    let instead = instead.into_iter().filter(|(kind, _)| lately.of(*kind) > 0);
    let instead = instead.map(|(kind, what)| {
        format!(
            " Users got {what} in {} of {calls} calls in the last {LATELY} minutes.",
            lately.of(kind)
        )
    });
    let drifts = match health.drifts.len() {
        0 => String::new(),
        1 => " Its API changes: its answers show one sign of it.".to_owned(),
        drifts => format!(" Its API changes: its answers show {drifts} signs of it."),
    };
    how_it_is(health, lately, now) + &instead.collect::<String>() + &drifts
}

fn how_it_is(health: &Health, lately: &Minute, now: SystemTime) -> String {
    let name = &health.integration;
    let span = health
        .since
        .map(|since| format!(" for {}", time(now.duration_since(since).unwrap_or_default())));
    let span = span.unwrap_or_default();
    match status_of(health, lately) {
        Status::Up => format!("{name} works."),
        Status::Stopped => {
            let by = moved(health, "kill_switch").map(by).unwrap_or_default();
            let instead = match (moved(health, "kill_switch"), &health.fallback) {
                (Some(control), Some(_)) if control.position == "fallback-only" => {
                    format!(" Users get {}.", fallback(health))
                }
                _ => String::new(),
            };
            format!("{name} has been stopped{span}{by}.{instead}")
        }
        Status::Down => {
            let then = match health.breaker.map_or(0, |breaker| breaker.held) {
                0 => "Calls are refused at once".to_owned(),
                held => format!("{held} calls wait"),
            };
            match moved(health, "circuit_breaker") {
                Some(control) => {
                    let by = by(control);
                    format!(
                        "{name} is shut off{span}: its circuit breaker is held open{by}. {then}."
                    )
                }
                None => format!(
                    "{name} has been down{span}: nothing answers. {then}; some try whether it is back."
                ),
            }
        }
        _ if health.status == Status::Up => {
            let failed = lately.failed();
            format!(
                "{name} answers, but failed {failed} of {calls} calls in the last {LATELY} minutes.",
                calls = lately.calls()
            )
        }
        _ => match causes(health) {
            causes if causes.is_empty() => format!("{name}: something is unusual."),
            causes => format!("{name}: {}.", causes.join("; ")),
        },
    }
}

/// All that makes it unusual, what people did first.
fn causes(health: &Health) -> Vec<String> {
    let mut causes = Vec::new();
    for control in &health.controls {
        causes.extend((!control.is_default).then(|| position_of(control)));
        let source = control.has_error.then(|| {
            let error = control.error.as_deref().map(|error| format!(" ({error})"));
            let name = control_name(control.name);
            format!("what moves {name} can't be read{}", error.unwrap_or_default())
        });
        causes.extend(source);
    }
    if let Some(token) = health.token.as_ref().filter(|token| token.is_in_trouble()) {
        let why = token.error.as_deref().unwrap_or(token.state.name());
        causes.push(format!("its token: {why}"));
    }
    if let Some(error) = health.signing.as_ref().and_then(|signing| signing.error.as_ref()) {
        causes.push(format!("requests can't be signed: {error}"));
    }
    for copy in health.local_copies.iter().filter(|copy| copy.is_outdated()) {
        let error = copy.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        causes.push(format!("the local copy {} is {}{error}", copy.name, copy.state.name()));
    }
    if let Some(pause) = health.rate_limit.paused_for {
        causes.push(format!("the provider asked for a pause, {} more", time(pause)));
    }
    if let Some(breakers) = health.keyed_breakers.filter(|breakers| breakers.open > 0) {
        causes.push(format!("nothing answers for {} of {} keys", breakers.open, breakers.keys));
    }
    causes.extend(health.breaker.as_ref().and_then(of_breaker));
    causes
}

fn of_breaker(breaker: &BreakerHealth) -> Option<String> {
    match breaker.state {
        BreakerState::Closed => (breaker.held > 0)
            .then(|| format!("it answers again, {} calls still wait for their turn", breaker.held)),
        _ => breaker.is_report_only.then(|| {
            "its circuit breaker, which only reports, says that nothing answers".to_owned()
        }),
    }
}

/// Where somebody put a control, and why.
fn position_of(control: &ControlState) -> String {
    let by = by(control);
    match (control.name, control.position.as_str()) {
        ("fault_injection", _) => format!("faults are injected on purpose{by}"),
        ("circuit_breaker", position) => format!("the circuit breaker is held {position}{by}"),
        (name, position) => format!("{} is at {position}{by}", control_name(name)),
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

/// What the provider may have done.
pub(super) fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::NotSent => "the provider didn't do it",
        Delivery::Unknown => "the provider may have done it",
        Delivery::Answered => "the provider answered",
    }
}

/// Where a message stands, or the webhook that it is.
pub(super) fn state(state: State, is_event: bool) -> &'static str {
    match state {
        State::Delivered if is_event => "handled",
        State::Leased if is_event => "being handled",
        State::Leased => "being sent",
        state => state.name(),
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

/// What the fallback gives.
fn fallback(health: &Health) -> String {
    match health.fallback.as_ref().and_then(|fallback| fallback.label.as_deref()) {
        Some(label) => format!("“{label}”"),
        None => "the fallback".to_owned(),
    }
}

/// What a position does.
pub(super) fn position(health: &Health, control: &str, position: &str) -> Option<String> {
    let fixed = match (control, position) {
        ("kill_switch", "fallback-only") if health.fallback.is_none() => {
            "no call goes out; there is no fallback, so each is refused as not sent"
        }
        ("kill_switch", "fallback-only") => {
            return Some(format!("no call goes out; users get {}", fallback(health)));
        }
        ("kill_switch", "cache-only") if health.cache.is_none() => {
            "no call goes out, and there is no cache that could answer"
        }
        ("kill_switch", "on") => "calls go out",
        ("kill_switch", "off") => "no call goes out; each is refused as not sent",
        ("kill_switch", "cache-only") => "no call goes out; users get what the cache knows",
        ("kill_switch", "no-retries") => "each call is sent once",
        ("circuit_breaker", "automatic") => "it decides by itself",
        ("circuit_breaker", "open") => "calls are refused, whatever the provider does",
        ("circuit_breaker", "closed") => "calls go out, whatever the provider does",
        ("fault_injection", "off") => "no faults are injected",
        _ => return None,
    };
    Some(fixed.to_owned())
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
        (Kind::Fallback, "users got the fallback"),
        (Kind::Stale, "users got an old answer"),
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

/// Where the host gave no [`Recent`](super::Recent).
pub(super) const NOT_REMEMBERED: &str =
    "Calls aren't remembered: this console was made without a `Recent`.";
