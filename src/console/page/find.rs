use std::sync::Arc;
use std::time::SystemTime;

use maud::{Markup, html};

use super::super::recent::SeenCall;
use super::super::route::link;
use super::super::words;
use super::layout::{Frame, text, time};
use crate::outbox::StoredMessage;

/// What is known under one name.
pub(in crate::console) struct Found {
    pub(in crate::console) asked: String,
    pub(in crate::console) calls: Vec<Arc<SeenCall>>,
    pub(in crate::console) messages: Vec<StoredMessage>,
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
            h2 { "Messages" }
            (messages(&found.messages))
        }
        @if !found.calls.is_empty() {
            h2 { "Calls" }
            (calls(&found.calls))
        }
        @if found.calls.is_empty() && found.messages.is_empty() {
            p { "Nothing is known under this name." }
        }
        p .hint {
            "It is looked up as a business key, correlation id, call id, idempotency key"
            @if found.has_outbox { " or message id" }
            ", exactly as it is written. "
            @match found.since {
                _ if !found.remembers => { (words::NOT_REMEMBERED) " See the audit log." }
                Some(since) => { "Calls before " (time(since)) " are forgotten here: see the audit log." }
                None => { "Calls are remembered since this process began: for those before, see the audit log." }
            }
        }
    };
    frame.page(&found.asked, false, main)
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
    html! {
        div .scroll tabindex="0" role="region" aria-label="Messages" {
            table {
                thead {
                    tr {
                        th scope="col" { "Message" } th scope="col" { "Lane" } th scope="col" { "State" }
                        th scope="col" { "Enqueued" } th scope="col" { "Attempts" } th scope="col" { "Last failure" }
                        th scope="col" { "Business key" }
                    }
                }
                tbody {
                    @for StoredMessage { content, progress, last_status, last_error, .. } in messages {
                        @let id = content.id.to_string();
                        tr {
                            th scope="row" { a href=(link(&[("message", &id)])) { (id) } }
                            td { (text(&content.lane)) }
                            td {
                                (progress.state.name())
                                @if let Some(why) = progress.dead_reason { ": " (why.to_string()) }
                            }
                            td { (time(content.created.into())) }
                            td { (progress.attempt) }
                            td {
                                @if let Some(status) = last_status { (status) " " }
                                @if let Some(error) = last_error { (text(error)) }
                            }
                            td { @if let Some(key) = &content.dedup_key { (text(key)) } }
                        }
                    }
                }
            }
        }
    }
}
