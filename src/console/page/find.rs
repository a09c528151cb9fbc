use std::sync::Arc;
use std::time::SystemTime;

use maud::{Markup, html};

use super::super::life::{Moment, Subject};
use super::super::recent::SeenCall;
use super::super::route::link;
use super::super::words::{self, Phrase, Words, counted, phrase, say, text};
use super::layout::{Frame, table, text, time};
use super::said::said_of;
use crate::outbox::webhook::source_of;
use crate::outbox::{Content, StoredMessage};
use crate::terms::outbox::State;

/// What is known under one name.
pub(in crate::console) struct Found {
    pub(in crate::console) asked: String,
    pub(in crate::console) messages: Vec<StoredMessage>,
    /// Whether there may be more messages.
    pub(in crate::console) has_more: bool,
    /// All that happened, in order.
    pub(in crate::console) life: Vec<Moment>,
    /// Of how many of the messages it isn't told.
    pub(in crate::console) untold: usize,
    /// Whether calls are remembered at all.
    pub(in crate::console) remembers: bool,
    /// From when on all calls are known, if not from the start on.
    pub(in crate::console) since: Option<SystemTime>,
    /// Whether there is an outbox that was asked.
    pub(in crate::console) has_outbox: bool,
}

/// What was found.
pub(in crate::console) fn find(frame: &Frame<'_>, found: &Found) -> Markup {
    let w = frame.words;
    let untold = counted!(
        "What happened to the other {n} messages is on their own pages.",
        n = found.untold
    );
    let main = html! {
        h1 { (say!(w, "Found for {name}", name = text(&found.asked))) }
        @if !found.messages.is_empty() {
            h2 { (say!(w, "Where it stands")) }
            (messages(w, &found.messages))
            @if found.has_more { p { (say!(w, "There may be more: these are the first.")) } }
        }
        @if !found.life.is_empty() {
            h2 { (say!(w, "What happened")) }
            (life(w, &found.life))
            @if found.untold > 0 { p { (w.html(untold)) } }
        } @else if found.messages.is_empty() {
            p { (say!(w, "Nothing is known under this name.")) }
        }
        p .hint { (w.html(limits(found))) }
    };
    frame.page(&found.asked, false, main)
}

/// What can't be known.
fn limits(found: &Found) -> Phrase {
    let keys = match found.has_outbox {
        true => phrase!(
            "It is looked up as a business key, correlation id, call id, idempotency key, order key, message id, the provider's request id of a message, or the provider's id of a webhook, exactly as it is written."
        ),
        false => phrase!(
            "It is looked up as a business key, correlation id, call id or idempotency key, exactly as it is written."
        ),
    };
    let calls = match found.since {
        _ if !found.remembers => {
            Phrase::list([words::NOT_REMEMBERED.into(), phrase!("See the audit log.")], " ")
        }
        Some(since) => phrase!(
            "Calls before {time} are forgotten here: see the audit log.",
            time = time(since)
        ),
        None => phrase!(
            "Calls are remembered since this process began: for those before, see the audit log."
        ),
    };
    let others = phrase!(
        "Calls of other processes are in the audit log. The provider's request id of a call is kept nowhere, unless the audit log has the headers of the attempt, which it has of failed ones alone, and if it was asked to; what a fallback gave as an answer is in its own record."
    );
    let messages = found.has_outbox.then(|| {
        phrase!(
            "Messages are known until they are removed, some days after they were delivered. A webhook isn't found by the order or whatever else it tells of; one that was refused was never stored."
        )
    });
    Phrase::list([keys, calls, others, messages.into()], " ")
}

fn life(w: &dyn Words, moments: &[Moment]) -> Markup {
    let rows = html! {
        @for moment in moments {
            tr { th scope="row" { (time(moment.at)) } td { (subject(w, &moment.to)) } td { (w.html(moment.what.clone())) } }
        }
    };
    let columns = [text!("When"), text!("To what"), text!("What")];
    table(w, text!("What happened"), &columns, rows)
}

fn subject(w: &dyn Words, of: &Subject) -> Markup {
    match of {
        Subject::Call { integration } => {
            let to = link(&[("integration", integration)]);
            say!(w, "call of {name}", name = html! { a href=(to) { (text(integration)) } })
        }
        Subject::Message { id, lane } => {
            let of = match source_of(lane) {
                Some(source) => say!(w, "webhook of {name}", name = text(source)),
                None => say!(w, "message of {name}", name = text(lane)),
            };
            html! { a href=(link(&[("message", &id.to_string())])) { (of) } }
        }
    }
}

/// A table of calls.
pub(super) fn calls(w: &dyn Words, calls: &[Arc<SeenCall>]) -> Markup {
    let rows = html! {
        @for call in calls {
            tr {
                th scope="row" { (time(call.at)) }
                td { a href=(link(&[("integration", &call.integration)])) { (text(&call.integration)) } }
                td { (call.method) " " (text(&call.target)) }
                td { (w.html(call.result())) }
                td { (call.delivery.map_or("", |delivery| delivery.name())) }
                td { (call.attempts) }
                td { (words::time(call.elapsed)) }
                td {
                    @if let Some(id) = &call.correlation_id {
                        a href=(link(&[("find", id)])) { (text(id)) }
                    }
                }
            }
        }
    };
    let columns = [
        text!("When"),
        text!("Integration"),
        text!("Call"),
        text!("Came to"),
        text!("May have happened"),
        text!("Attempts"),
        text!("Took"),
        text!("Correlation id"),
    ];
    table(w, text!("Calls"), &columns, rows)
}

/// A table of messages.
pub(super) fn messages(w: &dyn Words, messages: &[StoredMessage]) -> Markup {
    let said = said_of(messages);
    let rows = html! {
        @for message in messages {
            @let StoredMessage { content, progress, last_status, last_error, .. } = message;
            @let id = content.id.to_string();
            tr {
                th scope="row" { a href=(link(&[("message", &id)])) { (id) } }
                td { (text(&content.lane)) }
                td { (w.html(stands(message))) }
                td { (time(content.created.into())) }
                td { (progress.attempt) }
                td {
                    @match last_error {
                        // The last answer was another one.
                        Some(error) if progress.state == State::Delivered => {
                            (say!(w, "an earlier attempt: {error}", error = text(error)))
                        }
                        _ if progress.state == State::Delivered => {}
                        error => {
                            @if let Some(status) = last_status { (status) " " }
                            @if let Some(error) = error { (text(error)) }
                        }
                    }
                }
                td { @if let Some(key) = key_of(content) { (text(key)) } }
            }
        }
    };
    let columns = [
        said.message,
        text!("Lane"),
        text!("State"),
        said.enqueued,
        text!("Attempts"),
        text!("Last failure"),
        said.key,
    ];
    table(w, text!("Messages"), &columns, rows)
}

/// Where a message stands, and why it is dead if it is.
pub(super) fn stands(message: &StoredMessage) -> Phrase {
    let progress = &message.progress;
    let state = words::state(progress.state, source_of(&message.content.lane).is_some());
    let why = progress.dead_reason.map(|why| words::dead_reason(why).into());
    Phrase::list([state.into(), why.into()], ": ")
}

/// By which people know it: the business's key, or the provider's id of a webhook.
fn key_of(content: &Content) -> Option<&String> {
    content
        .dedup_key
        .as_ref()
        .or(content.correlation_id.as_ref().filter(|_| source_of(&content.lane).is_some()))
}
