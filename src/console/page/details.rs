use std::time::SystemTime;

use maud::{Markup, html};

use super::super::route::link;
use super::super::words;
use super::layout::{facts, none, text, time};
use crate::control::{Health, LaneHealth, LocalCopyHealth, ShareHealth};

/// What is known of it, as far as it has it.
pub(super) fn details(health: &Health, now: SystemTime) -> Markup {
    let rate = &health.rate_limit;
    let pace = rate
        .interval
        .map(|interval| format!("one request each {:.1} ms", interval.as_secs_f64() * 1e3));
    let places =
        health.bulkhead.limit.map(|limit| format!("{} of {limit} taken", health.bulkhead.in_use));
    let breaker = health.breaker.map(|breaker| {
        let open = breaker.open_for.map(|open| format!(", not closed for {}", words::time(open)));
        let mode = if breaker.is_report_only { ", only reports" } else { "" };
        let hinted =
            if breaker.is_hinted { ", most instances find that nothing answers" } else { "" };
        let held = (breaker.held > 0).then(|| format!(", {} calls wait", breaker.held));
        let (open, held) = (open.unwrap_or_default(), held.unwrap_or_default());
        format!("{}{open}{mode}{hinted}{held}", breaker.state.name())
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
    let keyed = health
        .keyed_breakers
        .map(|breakers| format!("{} of {} keys aren't closed", breakers.open, breakers.keys));
    let share = health.share.as_ref().map(|share| {
        let ShareHealth { account, rate, demand, has_ended, .. } = share;
        let ended = if *has_ended { ", without a lease" } else { "" };
        format!(
            "{rate:.1} requests a second of the account {account}; calls ask for {demand:.1}{ended}"
        )
    });
    let rows: [(&str, Option<String>); 11] = [
        ("circuit breaker", breaker),
        ("circuit breakers by key", keyed),
        ("rate", pace),
        ("share of the rate", share),
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
    shown.extend(checks(health));
    shown.extend(copies_and_lanes(health));
    shown.extend(provider_changes(health));
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

/// What it does to requests and finds in answers.
fn checks(health: &Health) -> Vec<(&'static str, Markup)> {
    let signing = health.signing.as_ref().map(|signing| match &signing.error {
        Some(error) => format!("the last request can't be signed: {error}"),
        None => format!("works; the provider's clock is {} s ahead", signing.clock_ahead),
    });
    let tokens = health
        .keyed_tokens
        .map(|tokens| format!("{} of {} have none that can be sent", tokens.failing, tokens.keys));
    let rejected = health.validation.as_ref().map(|checks| {
        let last = checks.last_rejection.as_ref().map(|last| {
            let place = last.pointer.as_ref().map(|place| format!(" at {place}"));
            let (verdict, place) = (last.verdict.name(), place.unwrap_or_default());
            format!("; the last: {} said {verdict}{place}, status {}", last.check, last.status)
        });
        let last = last.unwrap_or_default();
        format!("{} rejected, {} not checked{last}", checks.rejected, checks.unchecked)
    });
    let mirror = health
        .mirror
        .map(|mirror| format!("{} copies agreed, {} didn't", mirror.agreed, mirror.disagreed));
    [("signing", signing), ("tokens by key", tokens), ("answers", rejected), ("mirror", mirror)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, text(&value?))))
        .collect()
}

/// What is kept of it here, and what waits to be sent.
fn copies_and_lanes(health: &Health) -> Vec<(&'static str, Markup)> {
    let copy = |copy: &LocalCopyHealth| {
        let age = copy.age.map(|age| format!(", {} old", words::time(age))).unwrap_or_default();
        let error = copy.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        text(&format!("{}: {}{age}{error}", copy.name, copy.state.name()))
    };
    let lane = |lane: &LaneHealth| {
        let paused = lane.paused.as_ref().map(|pause| format!(", paused: {}", pause.why));
        let paused = paused.unwrap_or_default();
        html! {
            a href=(link(&[("lane", &lane.lane)])) { (text(&lane.lane)) }
            ": " (lane.ready) " wait, " (lane.dead) " wait for a person" (text(&paused))
        }
    };
    let copies = health.local_copies.iter().map(|one| ("local copy", copy(one)));
    copies.chain(health.lanes.iter().map(|one| ("lane", lane(one)))).collect()
}

/// What its answers tell of a change of its API.
fn provider_changes(health: &Health) -> Vec<(&'static str, Markup)> {
    let pins = health.pins.iter().map(|pin| {
        let told = pin.told.as_ref().filter(|_| pin.differs);
        let told = told.map(|told| format!(", but it answers with {told}")).unwrap_or_default();
        let old = if pin.is_over_a_year_old { ", which is more than a year old" } else { "" };
        ("pinned version", text(&format!("{} {}{old}{told}", pin.name, pin.version)))
    });
    let drifts = health.drifts.iter().map(|drift| {
        let detail = drift.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let said = text(&format!("{}, {}{detail}", drift.endpoint, drift.kind));
        let at = drift.at.map(|at| html! { " (" (time(at)) ")" });
        ("change of its API", html! { (said) (at.unwrap_or_else(none)) })
    });
    pins.chain(drifts).collect()
}
