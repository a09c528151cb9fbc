use maud::{Markup, html};

use super::super::life::{done, tried};
use super::super::route::link;
use super::super::words::{Text, Words, counted, say, text};
use super::find::stands;
use super::layout::{Frame, facts, folded, none, table, text, time};
use super::said::said;
use crate::outbox::webhook::source_of;
use crate::outbox::{Attempt, History, ShownMessage};
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
    let (w, id) = (frame.words, content.id.to_string());
    let reveal =
        || frame.act("reveal", &[("message", &id)], none(), html! { button { (say!(w, "Show")) } });
    let main = html! {
        h1 { (w.html(said(&content.lane).message)) " " (id) }
        (what(w, view))
        (acts(frame, view, &id))
        h2 { (say!(w, "Attempts")) }
        @if view.history.attempts.is_empty() { p { (say!(w, "None yet.")) } } @else { (attempts(w, &view.history.attempts)) }
        @if !view.history.acts.is_empty() {
            h2 { (say!(w, "What people did")) }
            ul { @for act in &view.history.acts { li { (time(act.at.into())) ": " (w.html(done(act))) } } }
        }
        h2 { (say!(w, "Request")) }
        (request(w, view))
        @if view.may_reveal && !view.is_revealed && !view.history.message.progress.erased {
            (folded(w, text!("Show it unredacted"), reveal()))
        }
    };
    frame.page(&id, false, main)
}

fn what(w: &dyn Words, view: &MessageView) -> Markup {
    let message = &view.history.message;
    let (content, progress) = (&message.content, &message.progress);
    let source = source_of(&content.lane);
    let mut rows = vec![
        (
            text!("lane"),
            html! { a href=(link(&[("lane", &content.lane)])) { (text(&content.lane)) } },
        ),
        (
            text!("state"),
            html! {
                (w.html(stands(message)))
                @if let Some(at) = progress.settled { ", " (time(at.into())) }
            },
        ),
        (
            if source.is_some() { text!("received") } else { text!("enqueued") },
            time(content.created.into()),
        ),
        (text!("deadline"), time(progress.deadline.into())),
        (text!("attempts"), html! { (progress.attempt) }),
    ];
    if matches!(progress.state, State::Ready) {
        rows.push((said(&content.lane).next, time(progress.not_before.into())));
    }
    let unknown = progress.unknown + progress.unknown_before;
    if unknown > 0 {
        rows.push((text!("may have happened"), w.html(counted!("{n} times", n = unknown))));
    }
    let keys = [
        (text!("business key"), &content.dedup_key),
        (text!("order key"), &content.order_key),
        (
            if source.is_some() { text!("provider's id") } else { text!("correlation id") },
            &content.correlation_id,
        ),
    ];
    for (name, key) in keys {
        if let Some(key) = key {
            rows.push((name, html! { a href=(link(&[("find", key)])) { (text(key)) } }));
        }
    }
    rows.push((text!("idempotency key"), text(&content.idempotency_key)));
    if let Some(until) = progress.key_valid_until {
        rows.push((text!("the provider knows its key until"), time(until.into())));
    }
    if let Some(by) = progress.replaced_by {
        let by = by.to_string();
        rows.push((text!("replaced by"), html! { a href=(link(&[("message", &by)])) { (by) } }));
    }
    let failed = |attempt: &&Attempt| attempt.class.is_some() || attempt.error.is_some();
    if let Some(attempt) = view.history.attempts.iter().rev().find(failed) {
        let name = match progress.state {
            State::Delivered => text!("an earlier failure"),
            _ => text!("last failure"),
        };
        rows.push((name, w.html(tried(attempt, source.is_some()))));
    }
    facts(w, rows)
}

fn acts(frame: &Frame<'_>, view: &MessageView, id: &str) -> Markup {
    let (w, message) = (frame.words, &view.history.message);
    let (progress, hidden) = (&message.progress, [("message", id)]);
    let is_dead = progress.state == State::Dead && progress.replaced_by.is_none();
    let is_over = !matches!(progress.state, State::Ready | State::Leased);
    let danger = |act: &str, what: Text, note: Markup, button: Text| {
        let button = html! { button .danger { (w.html(button)) } };
        folded(w, what, html! { (note) (frame.act(act, &hidden, none(), button)) })
    };
    html! {
        @if is_dead && view.may_replay {
            (replay(frame, view, &hidden))
            (edit(frame, view, &hidden))
        }
        @if view.may_discard {
            @if is_dead { (danger("discard", text!("Give it up"), none(), text!("Give it up"))) }
            @if progress.state == State::Ready {
                (danger("cancel", text!("Call it off"), none(), text!("Call it off")))
            }
            @if is_over && !progress.erased {
                @let note = html! { p { (say!(w, "Ids, keys and what happened stay.")) } };
                (danger("erase", text!("Erase its request and answer"), note, text!("Erase")))
            }
        }
    }
}

fn replay(frame: &Frame<'_>, view: &MessageView, hidden: &[(&str, &str)]) -> Markup {
    let (w, said) = (frame.words, said(&view.history.message.content.lane));
    let force = html! {
        label .choice { input type="checkbox" name="force" value="yes"; " " (w.html(said.forgotten)) }
    };
    let button = html! { button { (w.html(said.again_button)) } };
    folded(w, said.again, frame.act("replay", hidden, force, button))
}

fn edit(frame: &Frame<'_>, view: &MessageView, hidden: &[(&str, &str)]) -> Markup {
    let (w, content) = (frame.words, &view.history.message.content);
    let said = said(&content.lane);
    let fields = html! {
        label { (say!(w, "Body")) textarea name="body" rows="8" spellcheck="false" required {
            // A browser takes the first end of a line for none of the text's.
            "\n"
            @if view.is_revealed { (view.shown.body.as_deref().unwrap_or_default()) }
        } }
        @if !view.is_revealed { p .hint { (say!(w, "To begin with what it was, show it unredacted first.")) } }
    };
    let button = html! { button { (w.html(said.correct_button)) } };
    folded(
        w,
        said.correct,
        html! {
            @if content.sealed_by.is_some() {
                p { (say!(w, "It is sealed by a key that doesn't open it here, so that it can't be corrected.")) }
            } @else if std::str::from_utf8(&content.body).is_err() {
                p { (say!(w, "Its body isn't text, so that it can't be corrected on a page.")) }
            } @else {
                p { (say!(w, "The corrected message is a new one, with a new key. This one stays, and says which took its place.")) }
                (frame.act("edit", hidden, fields, button))
            }
        },
    )
}

fn attempts(w: &dyn Words, attempts: &[Attempt]) -> Markup {
    let rows = html! {
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
    };
    let columns = [
        text!("Number"),
        text!("Began"),
        text!("Ended"),
        text!("Came to"),
        text!("Status"),
        text!("Provider's request id"),
        text!("Next"),
    ];
    table(w, text!("Attempts"), &columns, rows)
}

fn request(w: &dyn Words, view: &MessageView) -> Markup {
    let ShownMessage { method, uri, headers, body, answer, sealed_by, .. } = &view.shown;
    html! {
        @if view.history.message.progress.erased { p { (say!(w, "It was erased.")) } } @else {
            @if let Some(key) = sealed_by {
                p { (say!(w, "It is sealed by the key {key}, which doesn't open it here.", key = text(key))) }
            }
            p { (method) " " (text(uri)) }
            (lines(headers))
            @if let Some(body) = body { pre { (text(body)) } }
            @if let Some(answer) = answer {
                h2 { (say!(w, "Answer")) }
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
