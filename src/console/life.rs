//! All that is known under one name, in the order in which it happened.

use std::time::SystemTime;

use super::acts::{ActResult, ConsoleAct};
use super::recent::SeenCall;
use super::words;
use crate::outbox::webhook::{ID, KIND, TIME, header, source_of};
use crate::outbox::{Act, Attempt, History, MessageId, StoredMessage, Timestamp};
use crate::terms::outbox::State;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: SystemTime,
    pub(super) to: Subject,
    /// In words. They may be a stranger's.
    pub(super) what: String,
}

/// To what it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A call of an integration.
    Call { integration: String },
    /// A message of a lane; a webhook, if it has a source.
    Message { id: MessageId, lane: String },
}

/// What happened to a call.
pub(super) fn of_call(call: &SeenCall) -> Vec<Moment> {
    let to = Subject::Call { integration: call.integration.clone() };
    let moment = |at, what| Moment { at, to: to.clone(), what };
    let began = call.at.checked_sub(call.elapsed).unwrap_or(call.at);
    let name = format!("{} {}", call.method, call.target);
    let mut moments = vec![moment(began, format!("{} begins", name.trim()))];
    moments.extend(call.steps.iter().map(|(at, step)| moment(*at, step.words())));
    let attempts = match call.attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    };
    let mut end = format!("ends with {}: {attempts}, {}", call.result(), words::time(call.elapsed));
    if let Some(delivery) = call.delivery {
        end += &format!("; {}", words::delivery(delivery));
    }
    if let Some(key) = &call.key {
        end += &format!("; its idempotency key: {key}");
    }
    moments.push(moment(call.at, end));
    moments
}

/// What happened to a message or a webhook; `acts` are those of the console.
pub(super) fn of_message(history: &History, acts: &[ConsoleAct]) -> Vec<Moment> {
    let message = &history.message;
    let (id, lane) = (message.content.id, &message.content.lane);
    let to = Subject::Message { id, lane: lane.clone() };
    let moment = |at, what| Moment { at, to: to.clone(), what };
    let mut moments = vec![moment(message.content.created.into(), came(message))];
    let is_event = source_of(lane).is_some();
    moments.extend(history.acts.iter().map(|act| moment(act.at.into(), done(act))));
    moments.extend(acts.iter().filter(|act| only_here(act, id)).map(|act| {
        let what = format!("{} by {}: {} ({})", act.what, act.who, act.why, act.result);
        moment(act.at, what)
    }));
    moments
        .extend(history.attempts.iter().map(|one| moment(one.ended.into(), tried(one, is_event))));
    if let Some(at) = message.progress.settled {
        moments.push(moment(at.into(), stands(message)));
    }
    moments
}

/// How it came into the store.
fn came(message: &StoredMessage) -> String {
    let content = &message.content;
    let Some(source) = source_of(&content.lane) else {
        return format!("enqueued, by the idempotency key {}", content.idempotency_key);
    };
    let kind = header(message, KIND).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let id = header(message, ID).or(content.correlation_id.as_deref());
    let id = id.map(|id| format!(" {id}")).unwrap_or_default();
    let time = header(message, TIME).and_then(|time| time.parse().ok()).map(Timestamp);
    let time =
        time.map(|at| format!("; {source} says that it happened at {}", words::date(at.into())));
    format!(
        "event{id}{kind} received from {source}, its signature verified{}",
        time.unwrap_or_default()
    )
}

/// An attempt, and what it came to.
pub(super) fn tried(attempt: &Attempt, is_event: bool) -> String {
    let verb = if is_event { "handling" } else { "attempt" };
    let outcome = match attempt.outcome.as_str() {
        "delivered" if is_event => "handled",
        outcome => outcome,
    };
    let mut what = format!("{verb} {}: {outcome}", attempt.number);
    if let Some(status) = attempt.status {
        what += &format!(", status {status}");
    }
    if let Some(class) = &attempt.class {
        what += &format!(" ({class})");
    }
    if let Some(id) = &attempt.request_id {
        what += &format!(", the provider's request id {id}");
    }
    if let Some(error) = &attempt.error {
        what += &format!(": {error}");
    }
    if let Some(next) = attempt.next_at {
        what += &format!("; next at {}", words::date(next.into()));
    }
    what
}

fn done(act: &Act) -> String {
    format!("{} by {}: {}", act.action, act.who, act.why)
}

/// Whether the console knows something of it that the store doesn't: what was shown, refused, or failed.
fn only_here(act: &ConsoleAct, id: MessageId) -> bool {
    let is_on = act.what.strip_prefix("message ").and_then(|what| what.split_once(": "));
    is_on.is_some_and(|(on, what)| {
        let is_stored = what != "reveal" && matches!(act.result, ActResult::Done(_));
        on == id.to_string() && !is_stored
    })
}

/// Where it stands.
fn stands(message: &StoredMessage) -> String {
    let progress = &message.progress;
    let is_event = source_of(&message.content.lane).is_some();
    let state = words::state(progress.state, is_event);
    match (progress.dead_reason, progress.replaced_by) {
        (_, Some(by)) => format!("{state}; {by} took its place"),
        (Some(why), _) if progress.state == State::Dead => format!("{state}: {why}"),
        _ => state.to_owned(),
    }
}
