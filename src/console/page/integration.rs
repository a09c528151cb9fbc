use std::sync::Arc;

use maud::{Markup, html};

use super::super::recent::SeenCall;
use super::super::route::link;
use super::super::words;
use super::details::details;
use super::find::calls;
use super::layout::{Frame, text, time};
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
    let name = &health.integration;
    let main = html! {
        h1 { (text(name)) }
        (card(&view.card, frame.now))
        h2 { "Controls" }
        @if frame.has_fleet {
            p {
                "What is set here is set for all instances. "
                a href=(link(&[("instances", "")])) { "Who obeys" }
            }
        }
        @for (state, positions) in &view.controls { (control(frame, view, state, positions)) }
        h2 { "How it is" }
        (details(health, frame.now))
        h2 { "The last failures" }
        @match &view.failures {
            None => { p { (words::NOT_REMEMBERED) } }
            Some(failures) if failures.is_empty() => { p { "None that is remembered." } }
            Some(failures) => { (calls(failures)) }
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
    let name = words::control_name(state.name);
    let options = html! {
        fieldset {
            legend { "Set " (name) @if frame.has_fleet { " of all instances" } " to" }
            @for position in positions {
                label .choice {
                    input type="radio" name="to" value=(position) required checked[*position == state.position];
                    " " b { (position) }
                    @if let Some(effect) = words::position(&view.card.health, state.name, position) { ": " (words::shown(&effect)) }
                }
            }
        }
        (until("somebody sets it back", html! {
            label .choice { input type="checkbox" name="auto" value="yes"; " then set it back by itself" }
        }))
    };
    let integration = view.card.health.integration.as_str();
    let mut hidden = vec![("integration", integration), ("control", state.name)];
    hidden.extend(frame.has_fleet.then_some(("of_all", "yes")));
    html! {
        section .control {
            h3 { (name) ": " (text(&state.position)) }
            @if let Some(since) = state.since {
                p {
                    "Since " (time(since))
                    @if let Some(who) = &state.who { ", by " (text(who)) }
                    @if let Some(why) = &state.why { ": " (text(why)) }
                }
            }
            @if let (Some(error), true) = (&state.error, state.has_error) {
                p .late { "What moves it can't be read: " (text(error)) }
            }
            @if view.may_steer && positions.len() > 1 {
                details {
                    summary { "Change " (name) }
                    (frame.act("set", &hidden, options, html! { button { "Set it" } }))
                }
            }
        }
    }
}
