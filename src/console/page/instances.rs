use std::time::Duration;

use maud::{Markup, html};

use super::super::route::link;
use super::super::words;
use super::layout::{Frame, text, time};
use crate::control::{FleetInstance, FleetView, FleetWord, InstanceState};

/// All instances and what they are told, or why that can't be shown.
pub(in crate::console) type InstancesView = Result<(FleetView, Vec<FleetWord>), String>;

/// Who obeys, who doesn't, and since when.
pub(in crate::console) fn instances(frame: &Frame<'_>, view: &InstancesView) -> Markup {
    let main = html! {
        h1 { "Instances" }
        @match view {
            Err(why) => { p .note.bad { "The fleet's database can't be asked: " (text(why)) } }
            Ok((view, said)) => {
                p { (text(&format!("{view}."))) }
                (table(view))
                p .hint {
                    "A change is obeyed within 3 s. An instance that gave no sign for 15 s has ended, hangs or can't reach \
                    the database; after a day it is taken off this list."
                }
                h2 { "What they are told" }
                @if said.is_empty() { p { "Nothing yet: each has the settings of its code." } } @else { (words_table(said)) }
            }
        }
    };
    frame.page("Instances", false, main)
}

fn table(view: &FleetView) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Instances" {
            table {
                thead {
                    tr {
                        th scope="col" { "Instance" } th scope="col" { "Machine" } th scope="col" { "Version" }
                        th scope="col" { "Obeys" } th scope="col" { "For" } th scope="col" { "Last sign" }
                        th scope="col" { "What it doesn't obey" }
                    }
                }
                tbody { @for instance in &view.instances { (row(instance)) } }
            }
        }
    }
}

fn row(instance: &FleetInstance) -> Markup {
    let ago = |time: Duration| format!("{} ago", words::time(time));
    html! {
        tr {
            th scope="row" { (text(&instance.name)) }
            td { (text(&instance.host)) } td { (text(&instance.version)) }
            td { (obeys(instance.state)) }
            td { @if let Some(time) = instance.for_time { (words::time(time)) } @else { "–" } }
            td { (ago(instance.seen_ago)) }
            td { @for trouble in &instance.troubles { p { (text(&trouble.to_string())) } } }
        }
    }
}

fn words_table(said: &[FleetWord]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="What they are told" {
            table {
                thead {
                    tr {
                        th scope="col" { "Integration" } th scope="col" { "Of" } th scope="col" { "Is to be" }
                        th scope="col" { "Who" } th scope="col" { "Why" } th scope="col" { "Since" } th scope="col" { "Until" }
                    }
                }
                tbody { @for word in said { (word_row(word)) } }
            }
        }
    }
}

fn word_row(word: &FleetWord) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(link(&[("integration", &word.integration)])) { (text(&word.integration)) } }
            td { (text(words::control_name(&word.of))) } td { (text(&word.says)) }
            td { (text(&word.who)) } td { (text(&word.why)) } td { (time(word.since)) }
            td {
                @if let Some(until) = word.until { (time(until)) } @else { "–" }
                @if let Some(back) = &word.back { ", then " (text(back)) }
            }
        }
    }
}

fn obeys(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Obeys => "yes",
        InstanceState::Behind => "not yet",
        InstanceState::Disobeys => "no",
        InstanceState::NotSeen => "not seen",
    }
}
