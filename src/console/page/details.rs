use std::time::SystemTime;

use maud::{Markup, html};

use super::super::route::link;
use super::super::words::{self, Phrase, Text, Words, counted, phrase, say, text};
use super::layout::{facts, none, text, time};
use crate::control::{BreakerHealth, Health, LaneHealth, LocalCopyHealth, ShareHealth};

/// What is known of it, as far as it has it.
pub(super) fn details(w: &dyn Words, health: &Health, now: SystemTime) -> Markup {
    let rate = &health.rate_limit;
    let bulkhead = &health.bulkhead;
    let pace = rate.interval.map(|interval| {
        let millis = format!("{:.1} ms", interval.as_secs_f64() * 1e3);
        phrase!("one request each {time}", time = millis)
    });
    let places =
        bulkhead.limit.map(|limit| phrase!("{n} of {all} taken", n = bulkhead.in_use, all = limit));
    let cache = health.cache.map(|cache| {
        phrase!(
            "{fresh} fresh, {stale} stale, {misses} asked the provider",
            fresh = cache.hits,
            stale = cache.stale,
            misses = cache.misses
        )
    });
    let token = health.token.as_ref().map(|token| {
        let error = token.error.as_ref().map(|error| format!(": {error}"));
        phrase!(
            "{state}, number {n}{error}",
            state = token.state.name(),
            n = token.generation,
            error = error.unwrap_or_default()
        )
    });
    let pool = health.pool.map(|pool| {
        phrase!(
            "{open} open, {idle} idle, {waiting} wait for one",
            open = pool.open,
            idle = pool.idle,
            waiting = pool.waiting
        )
    });
    let keyed = health.keyed_breakers.map(|breakers| {
        phrase!("{n} of {all} keys aren't closed", n = breakers.open, all = breakers.keys)
    });
    let waiting = |count| (count > 0).then(|| Phrase::from(count));
    let rows = [
        (text!("circuit breaker"), health.breaker.as_ref().map(breaker)),
        (text!("circuit breakers by key"), keyed),
        (text!("rate"), pace),
        (text!("share of the rate"), health.share.as_ref().map(share)),
        (text!("wait for their turn"), waiting(rate.waiting)),
        (text!("places"), places),
        (text!("wait for a place"), waiting(bulkhead.waiting)),
        (text!("retries saved up"), health.retries_saved.map(Phrase::from)),
        (text!("cache"), cache),
        (text!("token"), token),
        (text!("connections"), pool),
    ];
    let known = rows.into_iter().chain(checks(health));
    let known = known.filter_map(|(name, value)| Some((name, w.html(value?))));
    let mut shown: Vec<_> = known.collect();
    shown.extend(copies_and_lanes(w, health));
    shown.extend(provider_changes(w, health));
    for expiry in &health.expiries {
        let host = expiry.host.as_deref().map(text).unwrap_or_else(none);
        let ends = match expiry.at.duration_since(now) {
            Ok(left) => say!(
                w,
                "{host} ends {time} (in {left})",
                host = host,
                time = time(expiry.at),
                left = words::time(left)
            ),
            Err(_) => say!(w, "{host} ends {time} (over)", host = host, time = time(expiry.at)),
        };
        shown.push((Text::word(expiry.credential.name()), ends));
    }
    facts(w, shown)
}

fn breaker(breaker: &BreakerHealth) -> Phrase {
    let open = breaker.open_for.map(words::time);
    let open = open.map(|time| phrase!("not closed for {time}", time = time));
    let mode = breaker.is_report_only.then(|| phrase!("only reports"));
    let hinted = breaker.is_hinted.then(|| phrase!("most instances find that nothing answers"));
    let held = (breaker.held > 0).then(|| counted!("{n} calls wait", n = breaker.held));
    let parts = [open, mode, hinted, held].into_iter().flatten();
    Phrase::list(std::iter::once(breaker.state.name().into()).chain(parts), ", ")
}

fn share(share: &ShareHealth) -> Phrase {
    let ShareHealth { account, rate, demand, has_ended, .. } = share;
    let ended = has_ended.then(|| phrase!("without a lease"));
    let share = phrase!(
        "{rate} requests a second of the account {account}; calls ask for {demand}",
        rate = format!("{rate:.1}"),
        account = account,
        demand = format!("{demand:.1}")
    );
    Phrase::list([share, ended.into()], ", ")
}

/// What it does to requests and finds in answers.
fn checks(health: &Health) -> [(Text, Option<Phrase>); 4] {
    let signing = health.signing.as_ref().map(|signing| match &signing.error {
        Some(error) => phrase!("the last request can't be signed: {error}", error = error),
        None => phrase!(
            "works; the provider's clock is {n} s ahead",
            n = signing.clock_ahead.to_string()
        ),
    });
    let tokens = health.keyed_tokens.map(|tokens| {
        phrase!("{n} of {all} have none that can be sent", n = tokens.failing, all = tokens.keys)
    });
    let rejected = health.validation.as_ref().map(|checks| {
        let last = checks.last_rejection.as_ref().map(|last| {
            let place = last.pointer.as_ref().map(|place| phrase!(" at {place}", place = place));
            phrase!(
                "the last: {check} said {verdict}{place}, status {status}",
                check = last.check.to_string(),
                verdict = last.verdict.name(),
                place = place,
                status = last.status.to_string()
            )
        });
        let counts = phrase!(
            "{n} rejected, {unchecked} not checked",
            n = checks.rejected,
            unchecked = checks.unchecked
        );
        Phrase::list([counts, last.into()], "; ")
    });
    let mirror = health.mirror.map(|mirror| {
        phrase!("{n} copies agreed, {others} didn't", n = mirror.agreed, others = mirror.disagreed)
    });
    [
        (text!("signing"), signing),
        (text!("tokens by key"), tokens),
        (text!("answers"), rejected),
        (text!("mirror"), mirror),
    ]
}

/// What is kept of it here, and what waits to be sent.
fn copies_and_lanes(w: &dyn Words, health: &Health) -> Vec<(Text, Markup)> {
    let copy = |copy: &LocalCopyHealth| {
        let age = copy.age.map(|age| phrase!(", {time} old", time = words::time(age)));
        let error = copy.error.as_ref().map(|error| format!(": {error}"));
        let is = format!("{}: {}", copy.name, copy.state.name());
        let error = error.map(Phrase::from);
        w.html(Phrase::list([is.into(), age.into(), error.into()], ""))
    };
    let lane = |lane: &LaneHealth| {
        let name = html! { a href=(link(&[("lane", &lane.lane)])) { (text(&lane.lane)) } };
        let counts = say!(
            w,
            "{lane}: {ready} wait, {dead} wait for a person",
            lane = name,
            ready = lane.ready,
            dead = lane.dead
        );
        let paused = lane.paused.as_ref();
        let paused = paused.map(|pause| say!(w, ", paused: {why}", why = text(&pause.why)));
        html! { (counts) (paused.unwrap_or_else(none)) }
    };
    let copies = health.local_copies.iter().map(|one| (text!("local copy"), copy(one)));
    copies.chain(health.lanes.iter().map(|one| (text!("lane"), lane(one)))).collect()
}

/// What its answers tell of a change of its API.
fn provider_changes(w: &dyn Words, health: &Health) -> Vec<(Text, Markup)> {
    let pins = health.pins.iter().map(|pin| {
        let told = pin.told.as_ref().filter(|_| pin.differs);
        let told = told.map(|told| phrase!("but it answers with {version}", version = told));
        let old = pin.is_over_a_year_old.then(|| phrase!("which is more than a year old"));
        let is = format!("{} {}", pin.name, pin.version).into();
        (text!("pinned version"), w.html(Phrase::list([is, old.into(), told.into()], ", ")))
    });
    let drifts = health.drifts.iter().map(|drift| {
        let detail = drift.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let said = text(&format!("{}, {}{detail}", drift.endpoint, drift.kind));
        let at = drift.at.map(|at| html! { " (" (time(at)) ")" });
        (text!("change of its API"), html! { (said) (at.unwrap_or_else(none)) })
    });
    pins.chain(drifts).collect()
}
