//! All that is known under one name, in the order in which it happened.

use std::time::SystemTime;

use super::acts::{ActResult, ConsoleAct};
use super::recent::SeenCall;
use super::words::{self, Phrase, counted, phrase};
use crate::outbox::webhook::{ID, KIND, TIME, header, source_of};
use crate::outbox::{Act, Attempt, History, MessageId, StoredMessage, Timestamp};
use crate::terms::outbox::State;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: SystemTime,
    pub(super) to: Subject,
    pub(super) what: Phrase,
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
    let mut moments = vec![moment(began, phrase!("{call} begins", call = name.trim()))];
    moments.extend(call.steps.iter().map(|(at, step)| moment(*at, step.words())));
    let end = counted!(
        "ends with {result}: {n} attempts, {time}",
        n = call.attempts,
        result = call.result(),
        time = words::time(call.elapsed)
    );
    let delivery = call.delivery.map(|delivery| words::delivery(delivery).into());
    let key = call.key.as_ref().map(|key| phrase!("its idempotency key: {key}", key = key));
    moments.push(moment(call.at, Phrase::list([end, delivery.into(), key.into()], "; ")));
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
        let (what, why, result) = act.said();
        let who = &act.who;
        let said = phrase!(
            "{what} by {who}: {why} ({result})",
            what = what,
            who = who,
            why = why,
            result = result
        );
        moment(act.at, said)
    }));
    moments
        .extend(history.attempts.iter().map(|one| moment(one.ended.into(), tried(one, is_event))));
    if let Some(at) = message.progress.settled {
        moments.push(moment(at.into(), stands(message)));
    }
    moments
}

/// How it came into the store.
fn came(message: &StoredMessage) -> Phrase {
    let content = &message.content;
    let Some(source) = source_of(&content.lane) else {
        return phrase!("enqueued, by the idempotency key {key}", key = &content.idempotency_key);
    };
    let kind = header(message, KIND).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let id = header(message, ID).or(content.correlation_id.as_deref());
    let id = id.map(|id| format!(" {id}")).unwrap_or_default();
    let time = header(message, TIME).and_then(|time| time.parse().ok()).map(Timestamp);
    let time = time.map(|at| {
        let time = words::date(at.into());
        phrase!("{source} says that it happened at {time}", source = source, time = time)
    });
    let came = phrase!(
        "event{id}{kind} received from {source}, its signature verified",
        id = id,
        kind = kind,
        source = source
    );
    Phrase::list([came, time.into()], "; ")
}

/// An attempt, and what it came to.
pub(super) fn tried(attempt: &Attempt, is_event: bool) -> Phrase {
    let (number, outcome) = (attempt.number, outcome(&attempt.outcome, is_event));
    let tried = match is_event {
        true => phrase!("handling {n}: {outcome}", n = number, outcome = outcome),
        false => phrase!("attempt {n}: {outcome}", n = number, outcome = outcome),
    };
    let status = attempt.status.map(|status| phrase!(", status {status}", status = status));
    let class = attempt.class.as_ref().map(|class| format!(" ({class})").into());
    let id = attempt.request_id.as_ref();
    let id = id.map(|id| phrase!(", the provider's request id {id}", id = id));
    let error = attempt.error.as_ref().map(|error| format!(": {error}").into());
    let what = [tried, status.into(), class.into(), id.into(), error.into()];
    let next = attempt.next_at.map(|next| words::date(next.into()));
    let next = next.map(|time| phrase!("next at {time}", time = time));
    Phrase::list([Phrase::list(what, ""), next.into()], "; ")
}

fn outcome(name: &str, is_event: bool) -> Phrase {
    if is_event && name == "delivered" { phrase!("handled") } else { name.into() }
}

/// What somebody did to a message, as the store keeps it.
pub(super) fn done(act: &Act) -> Phrase {
    let what = words::action(&act.action);
    phrase!("{what} by {who}: {why}", what = what, who = &act.who, why = &act.why)
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
fn stands(message: &StoredMessage) -> Phrase {
    let progress = &message.progress;
    let is_event = source_of(&message.content.lane).is_some();
    let state = words::state(progress.state, is_event);
    match (progress.dead_reason, progress.replaced_by) {
        (_, Some(by)) => {
            phrase!("{state}; {by} took its place", state = state, by = by.to_string())
        }
        (Some(why), _) if progress.state == State::Dead => {
            Phrase::list([state.into(), words::dead_reason(why).into()], ": ")
        }
        _ => state.into(),
    }
}
