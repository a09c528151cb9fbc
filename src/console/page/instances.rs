use maud::{Markup, html};

use super::super::route::link;
use super::super::words::{self, Text, Words, say, text};
use super::layout::{Frame, table, text, time};
use crate::control::{FleetInstance, FleetView, FleetWord, InstanceState};

/// All instances and what they are told, or why that can't be shown.
pub(in crate::console) type InstancesView = Result<(FleetView, Vec<FleetWord>), String>;

/// Who obeys, who doesn't, and since when.
pub(in crate::console) fn instances(frame: &Frame<'_>, view: &InstancesView) -> Markup {
    let w = frame.words;
    let main = html! {
        h1 { (say!(w, "Instances")) }
        @match view {
            Err(why) => { p .note.bad { (say!(w, "The fleet's database can't be asked: {error}", error = text(why))) } }
            Ok((view, said)) => {
                p { (say!(w, "{what}.", what = words::in_all(view))) }
                (all(w, view))
                p .hint {
                    (say!(w, "A change is obeyed within 3 s. An instance that gave no sign for 15 s has ended, hangs or can't reach the database; after a day it is taken off this list."))
                }
                h2 { (say!(w, "What they are told")) }
                @if said.is_empty() { p { (say!(w, "Nothing yet: each has the settings of its code.")) } } @else { (told(w, said)) }
            }
        }
    };
    frame.page(text!("Instances"), false, main)
}

fn all(w: &dyn Words, view: &FleetView) -> Markup {
    let rows = html! { @for instance in &view.instances { (row(w, instance)) } };
    let columns = [
        text!("Instance"),
        text!("Machine"),
        text!("Version"),
        text!("Obeys"),
        text!("For"),
        text!("Last sign"),
        text!("What it doesn't obey"),
    ];
    table(w, text!("Instances"), &columns, rows)
}

fn row(w: &dyn Words, instance: &FleetInstance) -> Markup {
    html! {
        tr {
            th scope="row" { (text(&instance.name)) }
            td { (text(&instance.host)) } td { (text(&instance.version)) }
            td { (w.html(obeys(instance.state))) }
            td { @if let Some(time) = instance.for_time { (words::time(time)) } @else { "–" } }
            td { (say!(w, "{time} ago", time = words::time(instance.seen_ago))) }
            td { @for trouble in &instance.troubles { p { (text(&trouble.to_string())) } } }
        }
    }
}

fn told(w: &dyn Words, said: &[FleetWord]) -> Markup {
    let rows = html! { @for word in said { (word_row(w, word)) } };
    let columns = [
        text!("Integration"),
        text!("Of"),
        text!("Is to be"),
        text!("Who"),
        text!("Why"),
        text!("Since"),
        text!("Until"),
    ];
    table(w, text!("What they are told"), &columns, rows)
}

fn word_row(w: &dyn Words, word: &FleetWord) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(link(&[("integration", &word.integration)])) { (text(&word.integration)) } }
            td { (w.html(words::control_name(&word.of))) } td { (text(&word.says)) }
            td { (text(&word.who)) } td { (text(&word.why)) } td { (time(word.since)) }
            td {
                @if let Some(until) = word.until { (time(until)) } @else { "–" }
                @if let Some(back) = &word.back { (say!(w, ", then {position}", position = text(back))) }
            }
        }
    }
}

fn obeys(state: InstanceState) -> Text {
    match state {
        InstanceState::Obeys => text!("yes"),
        InstanceState::Behind => text!("not yet"),
        InstanceState::Disobeys => text!("no"),
        InstanceState::NotSeen => text!("not seen"),
    }
}
