use std::sync::Arc;
use std::time::SystemTime;

use maud::{Markup, html};

use super::super::life::{Moment, Subject};
use super::super::recent::SeenCall;
use super::super::route::link;
use super::super::words;
use super::layout::{Frame, text, time};
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
    let main = html! {
        h1 { "Found for " (text(&found.asked)) }
        @if !found.messages.is_empty() {
            h2 { "Where it stands" }
            (messages(&found.messages))
            @if found.has_more { p { "There may be more: these are the first." } }
        }
        @if !found.life.is_empty() {
            h2 { "What happened" }
            (life(&found.life))
            @if found.untold > 0 {
                p { "What happened to the other " (found.untold) " messages is on their own pages." }
            }
        } @else if found.messages.is_empty() {
            p { "Nothing is known under this name." }
        }
        (limits(found))
    };
    frame.page(&found.asked, false, main)
}

/// What can't be known.
fn limits(found: &Found) -> Markup {
    html! {
        p .hint {
            "It is looked up as a business key, correlation id, call id, idempotency key"
            @if found.has_outbox { ", order key, message id, the provider's request id of a message, or the provider's id of a webhook" }
            ", exactly as it is written. "
            @match found.since {
                _ if !found.remembers => { (words::NOT_REMEMBERED) " See the audit log." }
                Some(since) => { "Calls before " (time(since)) " are forgotten here: see the audit log." }
                None => { "Calls are remembered since this process began: for those before, see the audit log." }
            }
            " Calls of other processes are in the audit log. The provider's request id of a call is kept nowhere, unless the audit log has the headers of the attempt, which it has of failed ones alone, and if it was asked to; what a fallback gave as an answer is in its own record."
            @if found.has_outbox { " Messages are known until they are removed, some days after they were delivered. A webhook isn't found by the order or whatever else it tells of; one that was refused was never stored." }
        }
    }
}

fn life(moments: &[Moment]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="What happened" {
            table {
                thead { tr { th scope="col" { "When" } th scope="col" { "To what" } th scope="col" { "What" } } }
                tbody {
                    @for moment in moments {
                        tr { th scope="row" { (time(moment.at)) } td { (subject(&moment.to)) } td { (text(&moment.what)) } }
                    }
                }
            }
        }
    }
}

fn subject(of: &Subject) -> Markup {
    match of {
        Subject::Call { integration } => html! {
            "call of " a href=(link(&[("integration", integration)])) { (text(integration)) }
        },
        Subject::Message { id, lane } => {
            let id = id.to_string();
            let (kind, name) = match source_of(lane) {
                Some(source) => ("webhook of ", source),
                None => ("message of ", lane.as_str()),
            };
            html! { a href=(link(&[("message", &id)])) { (kind) (text(name)) } }
        }
    }
}

/// A table of calls.
pub(super) fn calls(calls: &[Arc<SeenCall>]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Calls" {
            table {
                thead {
                    tr {
                        th scope="col" { "When" } th scope="col" { "Integration" } th scope="col" { "Call" }
                        th scope="col" { "Came to" } th scope="col" { "May have happened" } th scope="col" { "Attempts" }
                        th scope="col" { "Took" } th scope="col" { "Correlation id" }
                    }
                }
                tbody {
                    @for call in calls {
                        tr {
                            th scope="row" { (time(call.at)) }
                            td { a href=(link(&[("integration", &call.integration)])) { (text(&call.integration)) } }
                            td { (call.method) " " (text(&call.target)) }
                            td { (text(&call.result())) }
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
                }
            }
        }
    }
}

/// A table of messages.
pub(super) fn messages(messages: &[StoredMessage]) -> Markup {
    let said = said_of(messages);
    html! {
        div .scroll tabindex="0" role="region" aria-label="Messages" {
            table {
                thead {
                    tr {
                        th scope="col" { (said.message) } th scope="col" { "Lane" } th scope="col" { "State" }
                        th scope="col" { (said.enqueued) } th scope="col" { "Attempts" } th scope="col" { "Last failure" }
                        th scope="col" { (said.key) }
                    }
                }
                tbody {
                    @for StoredMessage { content, progress, last_status, last_error, .. } in messages {
                        @let id = content.id.to_string();
                        tr {
                            th scope="row" { a href=(link(&[("message", &id)])) { (id) } }
                            td { (text(&content.lane)) }
                            td {
                                (words::state(progress.state, source_of(&content.lane).is_some()))
                                @if let Some(why) = progress.dead_reason { ": " (why.to_string()) }
                            }
                            td { (time(content.created.into())) }
                            td { (progress.attempt) }
                            td {
                                // The last answer was another one.
                                @if progress.state == State::Delivered {
                                    @if let Some(error) = last_error { "an earlier attempt: " (text(error)) }
                                } @else {
                                    @if let Some(status) = last_status { (status) " " }
                                    @if let Some(error) = last_error { (text(error)) }
                                }
                            }
                            td { @if let Some(key) = key_of(content) { (text(key)) } }
                        }
                    }
                }
            }
        }
    }
}

/// By which people know it: the business's key, or the provider's id of a webhook.
fn key_of(content: &Content) -> Option<&String> {
    content
        .dedup_key
        .as_ref()
        .or(content.correlation_id.as_ref().filter(|_| source_of(&content.lane).is_some()))
}
