use std::sync::Arc;
use std::time::SystemTime;

use maud::{Markup, html};

use super::super::recent::SeenCall;
use super::super::words;
use super::find::calls;
use super::layout::{Frame, facts, none, text, time};
use super::overview::{Card, card};
use crate::control::{ControlState, Health};

/// One integration.
pub(in crate::console) struct IntegrationView {
    pub(in crate::console) card: Card,
    /// Each control's state, and its positions.
    pub(in crate::console) controls: Vec<(ControlState, &'static [&'static str])>,
    pub(in crate::console) failures: Vec<Arc<SeenCall>>,
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
        @for (state, positions) in &view.controls { (control(frame, view, state, positions)) }
        h2 { "How it is" }
        (details(health, frame.now))
        h2 { "The last failures" }
        @if view.failures.is_empty() { p { "None that is remembered." } } @else { (calls(&view.failures)) }
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
            legend { "Set " (name) " to" }
            @for position in positions {
                label .choice {
                    input type="radio" name="to" value=(position) required checked[*position == state.position];
                    " " b { (position) }
                    @if let Some(effect) = words::position(state.name, position) { ": " (effect) }
                }
            }
        }
        fieldset {
            legend { "Until" }
            @for (value, words) in [("open", "somebody sets it back"), ("1h", "in an hour"), ("day", "the end of the day (UTC)")] {
                label .choice { input type="radio" name="until" value=(value) required checked[value == "open"]; " " (words) }
            }
            label .choice { input type="checkbox" name="auto" value="yes"; " then set it back by itself" }
        }
    };
    let hidden = [("integration", view.card.health.integration.as_str()), ("control", state.name)];
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
            @if view.may_steer {
                details {
                    summary { "Change " (name) }
                    (frame.act("set", &hidden, options, html! { button { "Set it" } }))
                }
            }
        }
    }
}

/// What is known of it, as far as it has it.
fn details(health: &Health, now: SystemTime) -> Markup {
    let rate = &health.rate_limit;
    let pace = rate
        .interval
        .map(|interval| format!("one request each {:.1} ms", interval.as_secs_f64() * 1e3));
    let places =
        health.bulkhead.limit.map(|limit| format!("{} of {limit} taken", health.bulkhead.in_use));
    let breaker = health.breaker.map(|breaker| {
        let open = breaker.open_for.map(|open| format!(", not closed for {}", words::time(open)));
        format!("{}{}", breaker.state.name(), open.unwrap_or_default())
    });
    let cache = health.cache.map(|cache| {
        format!("{} fresh, {} stale, {} asked the provider", cache.hits, cache.stale, cache.misses)
    });
    let token = health.token.as_ref().map(|token| {
        let error = token.error.as_ref().map(|error| format!(": {error}"));
        format!("{}, number {}{}", token.state.name(), token.generation, error.unwrap_or_default())
    });
    let pool = health.pool.map(|pool| {
        format!("{} open, {} idle, {} wait for one", pool.open, pool.idle, pool.waiting)
    });
    let rows: [(&str, Option<String>); 9] = [
        ("circuit breaker", breaker),
        ("rate", pace),
        ("wait for their turn", (rate.waiting > 0).then(|| rate.waiting.to_string())),
        ("places", places),
        (
            "wait for a place",
            (health.bulkhead.waiting > 0).then(|| health.bulkhead.waiting.to_string()),
        ),
        ("retries saved up", health.retries_saved.map(|saved| saved.to_string())),
        ("cache", cache),
        ("token", token),
        ("connections", pool),
    ];
    let mut shown: Vec<_> =
        rows.into_iter().filter_map(|(name, value)| Some((name, text(&value?)))).collect();
    for expiry in &health.expiries {
        let left = expiry.at.duration_since(now).map(|left| format!(" (in {})", words::time(left)));
        let host = expiry.host.as_deref().map(text).unwrap_or_else(none);
        shown.push((
            expiry.credential.name(),
            html! {
                (host) " ends " (time(expiry.at)) (left.unwrap_or_else(|_| " (over)".to_owned()))
            },
        ));
    }
    facts(&shown)
}
