use maud::{Markup, html};

use super::super::life::tried;
use super::super::route::link;
use super::super::words;
use super::layout::{Frame, facts, text, time};
use super::said::said;
use crate::outbox::webhook::source_of;
use crate::outbox::{Act, Attempt, History, ShownMessage};
use crate::terms::outbox::State;

/// A message with all that happened to it.
pub(in crate::console) struct MessageView {
    pub(in crate::console) history: History,
    /// What may be seen of its request and answer.
    pub(in crate::console) shown: ShownMessage,
    /// Whether that is all there is.
    pub(in crate::console) is_revealed: bool,
    pub(in crate::console) may_reveal: bool,
    pub(in crate::console) may_replay: bool,
    pub(in crate::console) may_discard: bool,
}

/// The page of a message.
pub(in crate::console) fn message(frame: &Frame<'_>, view: &MessageView) -> Markup {
    let content = &view.history.message.content;
    let id = content.id.to_string();
    let main = html! {
        h1 { (said(&content.lane).message) " " (id) }
        (what(view))
        (acts(frame, view, &id))
        h2 { "Attempts" }
        @if view.history.attempts.is_empty() { p { "None yet." } } @else { (attempts(&view.history.attempts)) }
        @if !view.history.acts.is_empty() {
            h2 { "What people did" }
            ul { @for act in &view.history.acts { (done(act)) } }
        }
        h2 { "Request" }
        (request(view))
        @if view.may_reveal && !view.is_revealed && !view.history.message.progress.erased {
            details {
                summary { "Show it unredacted" }
                (frame.act("reveal", &[("message", &id)], html! {}, html! { button { "Show" } }))
            }
        }
    };
    frame.page(&id, false, main)
}

fn what(view: &MessageView) -> Markup {
    let message = &view.history.message;
    let (content, progress) = (&message.content, &message.progress);
    let source = source_of(&content.lane);
    let mut rows = vec![
        ("lane", html! { a href=(link(&[("lane", &content.lane)])) { (text(&content.lane)) } }),
        (
            "state",
            html! {
                (words::state(progress.state, source.is_some()))
                @if let Some(why) = progress.dead_reason { ": " (why.to_string()) }
                @if let Some(at) = progress.settled { ", " (time(at.into())) }
            },
        ),
        (if source.is_some() { "received" } else { "enqueued" }, time(content.created.into())),
        ("deadline", time(progress.deadline.into())),
        ("attempts", html! { (progress.attempt) }),
    ];
    if matches!(progress.state, State::Ready) {
        rows.push((said(&content.lane).next, time(progress.not_before.into())));
    }
    if progress.unknown + progress.unknown_before > 0 {
        rows.push((
            "may have happened",
            html! { (progress.unknown + progress.unknown_before) " times" },
        ));
    }
    let keys = [
        ("business key", &content.dedup_key),
        ("order key", &content.order_key),
        (
            if source.is_some() { "provider's id" } else { "correlation id" },
            &content.correlation_id,
        ),
    ];
    for (name, key) in keys {
        if let Some(key) = key {
            rows.push((name, html! { a href=(link(&[("find", key)])) { (text(key)) } }));
        }
    }
    rows.push(("idempotency key", text(&content.idempotency_key)));
    if let Some(until) = progress.key_valid_until {
        rows.push(("the provider knows its key until", time(until.into())));
    }
    if let Some(by) = progress.replaced_by {
        let by = by.to_string();
        rows.push(("replaced by", html! { a href=(link(&[("message", &by)])) { (by) } }));
    }
    let failed = |attempt: &&Attempt| attempt.class.is_some() || attempt.error.is_some();
    if let Some(attempt) = view.history.attempts.iter().rev().find(failed) {
        let name = match progress.state {
            State::Delivered => "an earlier failure",
            _ => "last failure",
        };
        rows.push((name, text(&tried(attempt, source.is_some()))));
    }
    facts(&rows)
}

fn acts(frame: &Frame<'_>, view: &MessageView, id: &str) -> Markup {
    let progress = &view.history.message.progress;
    let said = said(&view.history.message.content.lane);
    let is_dead = progress.state == State::Dead && progress.replaced_by.is_none();
    let hidden = [("message", id)];
    html! {
        @if is_dead && view.may_replay {
            details {
                summary { (said.again) }
                (frame.act("replay", &hidden, html! {
                    label .choice {
                        input type="checkbox" name="force" value="yes";
                        " " (said.forgotten)
                    }
                }, html! { button { (said.again_button) } }))
            }
            details {
                summary { (said.correct) }
                @if view.history.message.content.sealed_by.is_some() {
                    p { "It is sealed by a key that doesn't open it here, so that it can't be corrected." }
                } @else if std::str::from_utf8(&view.history.message.content.body).is_err() {
                    p { "Its body isn't text, so that it can't be corrected on a page." }
                } @else {
                    p { "The corrected message is a new one, with a new key. This one stays, and says which took its place." }
                    (frame.act("edit", &hidden, html! {
                        label { "Body" textarea name="body" rows="8" spellcheck="false" required {
                            // A browser takes the first end of a line for none of the text's.
                            "\n"
                            @if view.is_revealed { (view.shown.body.as_deref().unwrap_or_default()) }
                        } }
                        @if !view.is_revealed { p .hint { "To begin with what it was, show it unredacted first." } }
                    }, html! { button { (said.correct_button) } }))
                }
            }
        }
        @if view.may_discard {
            @if is_dead {
                details {
                    summary { "Give it up" }
                    (frame.act("discard", &hidden, html! {}, html! { button .danger { "Give it up" } }))
                }
            }
            @if progress.state == State::Ready {
                details {
                    summary { "Call it off" }
                    (frame.act("cancel", &hidden, html! {}, html! { button .danger { "Call it off" } }))
                }
            }
            @if !matches!(progress.state, State::Ready | State::Leased) && !progress.erased {
                details {
                    summary { "Erase its request and answer" }
                    p { "Ids, keys and what happened stay." }
                    (frame.act("erase", &hidden, html! {}, html! { button .danger { "Erase" } }))
                }
            }
        }
    }
}

fn attempts(attempts: &[Attempt]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Attempts" {
            table {
                thead {
                    tr {
                        th scope="col" { "Number" } th scope="col" { "Began" } th scope="col" { "Ended" } th scope="col" { "Came to" }
                        th scope="col" { "Status" } th scope="col" { "Provider's request id" } th scope="col" { "Next" }
                    }
                }
                tbody {
                    @for attempt in attempts {
                        tr {
                            th scope="row" { (attempt.number) }
                            td { (time(attempt.started.into())) } td { (time(attempt.ended.into())) }
                            td { (text(&attempt.outcome)) @if let Some(class) = &attempt.class { " (" (text(class)) ")" } }
                            td { @if let Some(status) = attempt.status { (status) } }
                            td { @if let Some(id) = &attempt.request_id { (text(id)) } }
                            td { @if let Some(next) = attempt.next_at { (time(next.into())) } }
                        }
                    }
                }
            }
        }
    }
}

fn done(act: &Act) -> Markup {
    html! { li { (time(act.at.into())) ": " (act.action) " by " (text(&act.who)) ": " (text(&act.why)) } }
}

fn request(view: &MessageView) -> Markup {
    let ShownMessage { method, uri, headers, body, answer, sealed_by, .. } = &view.shown;
    html! {
        @if view.history.message.progress.erased { p { "It was erased." } } @else {
            @if let Some(key) = sealed_by { p { "It is sealed by the key " (text(key)) ", which doesn't open it here." } }
            p { (method) " " (text(uri)) }
            (lines(headers))
            @if let Some(body) = body { pre { (text(body)) } }
            @if let Some(answer) = answer {
                h2 { "Answer" }
                p { (answer.status) }
                (lines(&answer.headers))
                @if let Some(body) = &answer.body { pre { (text(body)) } }
            }
        }
    }
}

fn lines(headers: &[(String, String)]) -> Markup {
    html! { @if !headers.is_empty() { pre { @for (name, value) in headers { (text(name)) ": " (text(value)) "\n" } } } }
}
