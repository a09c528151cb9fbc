use std::sync::Arc;

use maud::{Markup, html};

use super::super::recent::SeenCall;
use super::super::route::link;
use super::super::words::{self, phrase, say, text};
use super::details::details;
use super::find::calls;
use super::layout::{Frame, folded, text, time};
use super::overview::{Card, card};
use super::until::until;
use crate::control::ControlState;

/// One integration.
pub(in crate::console) struct IntegrationView {
    pub(in crate::console) card: Card,
    /// Each control's state, and its positions.
    pub(in crate::console) controls: Vec<(ControlState, &'static [&'static str])>,
    /// The last ones, if calls are remembered.
    pub(in crate::console) failures: Option<Vec<Arc<SeenCall>>>,
    pub(in crate::console) may_steer: bool,
}

/// The page of one integration.
pub(in crate::console) fn integration(frame: &Frame<'_>, view: &IntegrationView) -> Markup {
    let health = &view.card.health;
    let (w, name) = (frame.words, &health.integration);
    let main = html! {
        h1 { (text(name)) }
        (card(w, &view.card, frame.now))
        h2 { (say!(w, "Controls")) }
        @if frame.has_fleet {
            p {
                (say!(w, "What is set here is set for all instances.")) " "
                a href=(link(&[("instances", "")])) { (say!(w, "Who obeys")) } " "
                a href=(link(&[("settings", name)])) { (say!(w, "Settings")) }
            }
        }
        @for (state, positions) in &view.controls { (control(frame, view, state, positions)) }
        h2 { (say!(w, "How it is")) }
        (details(w, health, frame.now))
        h2 { (say!(w, "The last failures")) }
        @match &view.failures {
            None => { p { (w.html(words::NOT_REMEMBERED)) } }
            Some(failures) if failures.is_empty() => { p { (say!(w, "None that is remembered.")) } }
            Some(failures) => { (calls(w, failures)) }
        }
    };
    frame.page(name, false, main)
}

fn control(
    frame: &Frame<'_>,
    view: &IntegrationView,
    state: &ControlState,
    positions: &[&'static str],
) -> Markup {
    let (w, name) = (frame.words, words::control_name(state.name));
    let legend = match frame.has_fleet {
        true => say!(w, "Set {control} of all instances to", control = name.clone()),
        false => say!(w, "Set {control} to", control = name.clone()),
    };
    let options = html! {
        fieldset {
            legend { (legend) }
            @for position in positions {
                label .choice {
                    input type="radio" name="to" value=(position) required checked[*position == state.position];
                    " " b { (position) }
                    @if let Some(effect) = words::position(&view.card.health, state.name, position) { ": " (w.html(effect)) }
                }
            }
        }
        (until(w, text!("somebody sets it back"), html! {
            label .choice { input type="checkbox" name="auto" value="yes"; " " (say!(w, "then set it back by itself")) }
        }))
    };
    let integration = view.card.health.integration.as_str();
    let mut hidden = vec![("integration", integration), ("control", state.name)];
    hidden.extend(frame.has_fleet.then_some(("of_all", "yes")));
    html! {
        section .control {
            h3 { (w.html(name.clone())) ": " (text(&state.position)) }
            @if let Some(since) = state.since {
                p {
                    @match &state.who {
                        Some(who) => (say!(w, "Since {time}, by {who}", time = time(since), who = text(who))),
                        None => (say!(w, "Since {time}", time = time(since))),
                    }
                    @if let Some(why) = &state.why { ": " (text(why)) }
                }
            }
            @if let (Some(error), true) = (&state.error, state.has_error) {
                p .late { (say!(w, "What moves it can't be read: {error}", error = text(error))) }
            }
            @if view.may_steer && positions.len() > 1 {
                (folded(w, phrase!("Change {control}", control = name), frame.act(
                    "set", &hidden, options, html! { button { (say!(w, "Set it")) } }
                )))
            }
        }
    }
}
