//! How an integration is, in plain sentences.

use std::time::SystemTime;

use super::language::Text;
use super::names::control_name;
use super::phrase::{Phrase, counted, phrase, text};
use super::written::time;
use crate::console::minutes::{Kind, LATELY, Minute};
use crate::control::{BreakerHealth, ControlState, Health};
use crate::terms::{BreakerState, Status};

/// How it is for people: while a breaker lets single calls try, nothing has answered yet. One that only reports
/// lets all of them go out.
pub(in crate::console) fn status_of(health: &Health, lately: &Minute) -> Status {
    let refuses = health
        .breaker
        .is_some_and(|breaker| breaker.state == BreakerState::HalfOpen && !breaker.is_report_only);
    match health.status {
        Status::Degraded if refuses => Status::Down,
        Status::Up if fails(lately) => Status::Degraded,
        status => status,
    }
}

/// Whether the provider failed one call in twenty, of twenty at least, or most of three or more: what a person would want
/// to know of.
fn fails(lately: &Minute) -> bool {
    let (calls, failed) = (lately.calls(), lately.failed());
    calls >= 20 && failed * 20 >= calls || calls >= 3 && failed * 2 > calls
}

/// How it is, in a sentence or two, and what users get.
pub(in crate::console) fn sentence(health: &Health, lately: &Minute, now: SystemTime) -> Phrase {
    let old = (Kind::Stale, phrase!("an old answer"));
    let instead = [(Kind::Fallback, fallback(health)), old].into_iter();
    let instead = instead.filter(|(kind, _)| lately.of(*kind) > 0).map(|(kind, what)| {
        phrase!(
            "Users got {what} in {n} of {calls} calls in the last {minutes} minutes.",
            what = what,
            n = lately.of(kind),
            calls = lately.calls(),
            minutes = LATELY
        )
    });
    let drifts = health.drifts.len();
    let drifts = (drifts > 0)
        .then(|| counted!("Its API changes: its answers show {n} signs of it.", n = drifts));
    let first = std::iter::once(how_it_is(health, lately, now));
    Phrase::list(first.chain(instead).chain(drifts), " ")
}

fn how_it_is(health: &Health, lately: &Minute, now: SystemTime) -> Phrase {
    let name = &health.integration;
    let since = health.since.map(|since| time(now.duration_since(since).unwrap_or_default()));
    let span = since.map(|since| phrase!(" for {time}", time = since));
    match status_of(health, lately) {
        Status::Up => phrase!("{name} works.", name = name),
        Status::Stopped => {
            let control = moved(health, "kill_switch");
            let is_replaced = control.is_some_and(|control| control.position == "fallback-only");
            let instead = (is_replaced && health.fallback.is_some())
                .then(|| phrase!("Users get {what}.", what = fallback(health)));
            let by = control.map(by);
            let stopped =
                phrase!("{name} has been stopped{span}{by}.", name = name, span = span, by = by);
            Phrase::list([stopped, instead.into()], " ")
        }
        Status::Down => {
            let then = match health.breaker.map_or(0, |breaker| breaker.held) {
                0 => phrase!("Calls are refused at once"),
                held => counted!("{n} calls wait", n = held),
            };
            match moved(health, "circuit_breaker") {
                Some(control) => phrase!(
                    "{name} is shut off{span}: its circuit breaker is held open{by}. {then}.",
                    name = name,
                    span = span,
                    by = by(control),
                    then = then
                ),
                None => phrase!(
                    "{name} has been down{span}: nothing answers. {then}; some try whether it is back.",
                    name = name,
                    span = span,
                    then = then
                ),
            }
        }
        _ if health.status == Status::Up => phrase!(
            "{name} answers, but failed {n} of {calls} calls in the last {minutes} minutes.",
            name = name,
            n = lately.failed(),
            calls = lately.calls(),
            minutes = LATELY
        ),
        _ => match causes(health) {
            causes if causes.is_empty() => phrase!("{name}: something is unusual.", name = name),
            causes => {
                phrase!("{name}: {causes}.", name = name, causes = Phrase::list(causes, "; "))
            }
        },
    }
}

/// All that makes it unusual, what people did first.
fn causes(health: &Health) -> Vec<Phrase> {
    let mut causes = Vec::new();
    for control in &health.controls {
        causes.extend((!control.is_default).then(|| position_of(control)));
        let source = control.has_error.then(|| {
            let error = control.error.as_deref().map(|error| format!(" ({error})"));
            phrase!(
                "what moves {control} can't be read{error}",
                control = control_name(control.name),
                error = error.unwrap_or_default()
            )
        });
        causes.extend(source);
    }
    if let Some(token) = health.token.as_ref().filter(|token| token.is_in_trouble()) {
        let why = token.error.as_deref().unwrap_or(token.state.name());
        causes.push(phrase!("its token: {why}", why = why));
    }
    if let Some(error) = health.signing.as_ref().and_then(|signing| signing.error.as_ref()) {
        causes.push(phrase!("requests can't be signed: {error}", error = error));
    }
    for copy in health.local_copies.iter().filter(|copy| copy.is_outdated()) {
        let error = copy.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        causes.push(phrase!(
            "the local copy {name} is {state}{error}",
            name = copy.name,
            state = copy.state.name(),
            error = error
        ));
    }
    if let Some(pause) = health.rate_limit.paused_for {
        causes.push(phrase!("the provider asked for a pause, {time} more", time = time(pause)));
    }
    if let Some(breakers) = health.keyed_breakers.filter(|breakers| breakers.open > 0) {
        causes.push(phrase!(
            "nothing answers for {n} of {all} keys",
            n = breakers.open,
            all = breakers.keys
        ));
    }
    causes.extend(health.breaker.as_ref().and_then(of_breaker));
    causes
}

fn of_breaker(breaker: &BreakerHealth) -> Option<Phrase> {
    match breaker.state {
        BreakerState::Closed => (breaker.held > 0).then(|| {
            counted!("it answers again, {n} calls still wait for their turn", n = breaker.held)
        }),
        _ => breaker
            .is_report_only
            .then(|| phrase!("its circuit breaker, which only reports, says that nothing answers")),
    }
}

/// Where somebody put a control, and why.
fn position_of(control: &ControlState) -> Phrase {
    let (by, position) = (by(control), &control.position);
    match control.name {
        "fault_injection" => phrase!("faults are injected on purpose{by}", by = by),
        "circuit_breaker" => {
            phrase!("the circuit breaker is held {position}{by}", position = position, by = by)
        }
        name => phrase!(
            "{control} is at {position}{by}",
            control = control_name(name),
            position = position,
            by = by
        ),
    }
}

/// ` by ada: the mails look odd`.
fn by(control: &ControlState) -> Phrase {
    let who = control.who.as_deref().filter(|who| !who.is_empty());
    let why = control.why.as_deref().filter(|why| !why.is_empty());
    let who = who.map(|who| phrase!(" by {who}", who = who));
    let why = why.map(|why| Phrase::from(format!(": {why}")));
    Phrase::list([who.into(), why.into()], "")
}

fn moved<'a>(health: &'a Health, name: &str) -> Option<&'a ControlState> {
    health.controls.iter().find(|control| control.name == name && !control.is_default)
}

/// Worst first.
pub(in crate::console) fn rank(health: &Health, lately: &Minute) -> u8 {
    match status_of(health, lately) {
        Status::Down => 0,
        Status::Stopped => 1,
        Status::Degraded => 2,
        _ => 3,
    }
}

/// What of it waits for a person.
pub(in crate::console) fn needs_person(health: &Health, lately: &Minute) -> bool {
    status_of(health, lately) != Status::Up
        || health.controls.iter().any(|control| control.has_error)
}

/// What the fallback gives.
fn fallback(health: &Health) -> Phrase {
    match health.fallback.as_ref().and_then(|fallback| fallback.label.as_deref()) {
        Some(label) => phrase!("“{label}”", label = label),
        None => phrase!("the fallback"),
    }
}

/// What a position does.
pub(in crate::console) fn position(
    health: &Health,
    control: &str,
    position: &str,
) -> Option<Phrase> {
    Some(match (control, position) {
        ("kill_switch", "fallback-only") if health.fallback.is_none() => {
            phrase!("no call goes out; there is no fallback, so each is refused as not sent")
        }
        ("kill_switch", "fallback-only") => {
            phrase!("no call goes out; users get {what}", what = fallback(health))
        }
        ("kill_switch", "cache-only") if health.cache.is_none() => {
            phrase!("no call goes out, and there is no cache that could answer")
        }
        ("kill_switch", "on") => phrase!("calls go out"),
        ("kill_switch", "off") => phrase!("no call goes out; each is refused as not sent"),
        ("kill_switch", "cache-only") => {
            phrase!("no call goes out; users get what the cache knows")
        }
        ("kill_switch", "no-retries") => phrase!("each call is sent once"),
        ("circuit_breaker", "automatic") => phrase!("it decides by itself"),
        ("circuit_breaker", "open") => phrase!("calls are refused, whatever the provider does"),
        ("circuit_breaker", "closed") => phrase!("calls go out, whatever the provider does"),
        ("fault_injection", "off") => phrase!("no faults are injected"),
        _ => return None,
    })
}

/// The figures of the last minutes.
pub(in crate::console) fn figures(lately: &Minute) -> Vec<(Text, Phrase)> {
    let calls = lately.calls();
    if calls == 0 {
        return vec![(text!("calls"), phrase!("none in {minutes} minutes", minutes = LATELY))];
    }
    let of = |kind| phrase!("{n} of {all}", n = lately.of(kind), all = calls);
    let mut figures = vec![
        (text!("calls a minute"), Phrase::from(calls.div_ceil(LATELY as u32))),
        (text!("answered"), of(Kind::Answered)),
    ];
    let others = [
        (Kind::Theirs, text!("the provider failed")),
        (Kind::Fallback, text!("users got the fallback")),
        (Kind::Stale, text!("users got an old answer")),
        (Kind::Ours, text!("our requests were wrong")),
        (Kind::Refused, text!("refused here")),
        (Kind::Left, text!("the caller left")),
    ];
    let others = others.into_iter().filter(|(kind, _)| lately.of(*kind) > 0);
    figures.extend(others.map(|(kind, name)| (name, of(kind))));
    figures.extend(lately.p95().map(|p95| (text!("95 of 100 took at most"), time(p95).into())));
    figures
}

/// Where the host gave no [`Recent`](crate::console::Recent).
pub(in crate::console) const NOT_REMEMBERED: Text =
    text!("Calls aren't remembered: this console was made without a `Recent`.");
