use std::time::Duration;

use maud::{Markup, html};

use super::super::words;
use super::layout::{Frame, text};
use crate::control::{FleetInstance, FleetView, InstanceState};

/// All instances, or why they can't be shown.
pub(in crate::console) type InstancesView = Result<FleetView, String>;

/// Who obeys, who doesn't, and since when.
pub(in crate::console) fn instances(frame: &Frame<'_>, view: &InstancesView) -> Markup {
    let main = html! {
        h1 { "Instances" }
        @match view {
            Err(why) => { p .note.bad { "The fleet's database can't be asked: " (text(why)) } }
            Ok(view) => {
                p { (text(&format!("{view}."))) }
                (table(view))
                p .hint {
                    "A change is obeyed within 3 s. An instance that gave no sign for 15 s has ended, hangs or can't reach \
                    the database; after an hour it is taken off this list."
                }
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

fn obeys(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Obeys => "yes",
        InstanceState::Behind => "not yet",
        InstanceState::Disobeys => "no",
        InstanceState::NotSeen => "not seen",
    }
}
