use std::time::SystemTime;

use maud::{Markup, html};

use super::super::minutes::{HOUR, Kind, Minute, Minutes};
use super::super::route::{LaneView, link};
use super::super::words;
use super::layout::{Frame, text, time};
use crate::control::Health;
use crate::outbox::LaneStats;
use crate::terms::Status;
use crate::terms::outbox::State;

/// All integrations, and the outbox's lanes.
pub(in crate::console) struct OverviewView {
    pub(in crate::console) cards: Vec<Card>,
    pub(in crate::console) lanes: Vec<LaneCard>,
    /// Why the outbox can't be asked.
    pub(in crate::console) trouble: Option<String>,
}

/// One integration.
pub(in crate::console) struct Card {
    pub(in crate::console) health: Health,
    pub(in crate::console) minutes: Minutes,
    /// Until when somebody wanted a control to be where it is.
    pub(in crate::console) until: Option<SystemTime>,
}

/// One lane.
pub(in crate::console) struct LaneCard {
    pub(in crate::console) name: String,
    pub(in crate::console) stats: LaneStats,
}

/// The first page.
pub(in crate::console) fn overview(frame: &Frame<'_>, view: &OverviewView) -> Markup {
    let dead: u64 = view.lanes.iter().map(|lane| lane.stats.dead_in_all()).sum();
    let unwell = view
        .cards
        .iter()
        .filter(|card| words::needs_person(&card.health, &card.minutes.lately(frame.now)))
        .count();
    let main = html! {
        h1 { "Integrations" }
        p #summary aria-live="polite" { (summary(view.cards.len(), unwell, dead)) }
        @if let Some(trouble) = &view.trouble {
            p .note.bad { "The outbox can't be read: " (text(trouble)) }
        }
        div .cards {
            @for of in &view.cards { (card(of, frame.now)) }
        }
        @if !view.lanes.is_empty() {
            h2 { "Outbox" }
            (lanes(&view.lanes, frame.now))
        }
    };
    frame.page("Integrations", true, main)
}

fn summary(all: usize, unwell: usize, dead: u64) -> String {
    let calls = match (all, unwell) {
        (0, _) => "No integration is registered here".to_owned(),
        (1, 0) => "The one integration works".to_owned(),
        (all, 0) => format!("All {all} integrations work"),
        (all, unwell) => format!("{unwell} of {all} integrations need a look"),
    };
    match dead {
        0 => format!("{calls}."),
        1 => format!("{calls}; 1 message waits for a person."),
        dead => format!("{calls}; {dead} messages wait for a person."),
    }
}

/// What is shown of one integration, and replaced when it changes.
pub(in crate::console) fn card(of: &Card, now: SystemTime) -> Markup {
    let Card { health, minutes, until } = of;
    let lately = minutes.lately(now);
    let status = words::status_of(health, &lately);
    html! {
        article .card.(status.name()) id=(format!("card-{}", hex(&health.integration))) {
            h2 {
                a href=(link(&[("integration", &health.integration)])) { (text(&health.integration)) }
                " "
                span .state { span aria-hidden="true" { (words::shape(status)) } " " (words::status(status)) }
            }
            p { (text(&words::sentence(health, &lately, now))) }
            @if let Some(until) = until {
                @if *until < now {
                    p .late { "It was wanted until " (time(*until)) ". Is the reason still true?" }
                } @else {
                    p { "Wanted until " (time(*until)) "." }
                }
            }
            @if status != Status::Up {
                @if let Some(since) = health.since { p { "Since " (time(since)) "." } }
            }
            dl {
                @for (name, value) in words::figures(&lately) {
                    div { dt { (name) } dd { (value) } }
                }
            }
            (strip(minutes, now))
        }
    }
}

/// The last hour: a bar a minute, as high as its share of calls, its failures dark.
fn strip(minutes: &Minutes, now: SystemTime) -> Markup {
    let hour: Vec<Minute> = minutes.hour(now).collect();
    let most = hour.iter().map(Minute::calls).max().unwrap_or_default().max(1);
    let height = |count: u32| f64::from(count) * f64::from(TALL) / f64::from(most);
    let calls: u32 = hour.iter().map(Minute::calls).sum();
    let failed: u32 =
        hour.iter().map(|minute| minute.of(Kind::Theirs) + minute.of(Kind::Refused)).sum();
    let label = format!("The last hour: {calls} calls, of which {failed} failed or were refused.");
    html! {
        svg .strip role="img" aria-label=(label) viewBox=(format!("0 0 {HOUR} {TALL}")) preserveAspectRatio="none" {
            @for (x, minute) in hour.iter().enumerate() {
                @let all = height(minute.calls());
                @let bad = height(minute.of(Kind::Theirs) + minute.of(Kind::Refused));
                @if all > 0.0 {
                    rect .all x=(x) y=(format!("{:.2}", f64::from(TALL) - all)) width="0.8" height=(format!("{all:.2}")) {}
                }
                @if bad > 0.0 {
                    rect .bad x=(x) y=(format!("{:.2}", f64::from(TALL) - bad)) width="0.8" height=(format!("{bad:.2}")) {}
                }
            }
        }
    }
}

fn lanes(lanes: &[LaneCard], now: SystemTime) -> Markup {
    let ago = |at: crate::outbox::Timestamp| {
        words::time(now.duration_since(SystemTime::from(at)).unwrap_or_default())
    };
    html! {
        div .scroll tabindex="0" role="region" aria-label="Lanes of the outbox" {
            table {
                thead {
                    tr {
                        th scope="col" { "Lane" } th scope="col" { "Waiting" } th scope="col" { "Being sent" }
                        th scope="col" { "Oldest waits for" } th scope="col" { "Wait for a person" } th scope="col" { "Paused" }
                    }
                }
                tbody {
                    @for LaneCard { name, stats } in lanes {
                        tr {
                            th scope="row" { a href=(link(&[("lane", name)])) { (text(name)) } }
                            td { (stats.ready) } td { (stats.leased) }
                            td { @if let Some(oldest) = stats.oldest_undelivered { (ago(oldest)) } @else { "–" } }
                            td {
                                @if stats.dead_in_all() == 0 { "0" } @else {
                                    a href=(dead(name)) { (stats.dead_in_all()) }
                                }
                            }
                            td { @if let Some(pause) = &stats.paused { (text(&pause.why)) } @else { "no" } }
                        }
                    }
                }
            }
        }
    }
}

fn dead(lane: &str) -> String {
    LaneView { lane: lane.to_owned(), state: Some(State::Dead), ..LaneView::default() }.link()
}

/// An id that every name may have.
fn hex(name: &str) -> String {
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The height of the strip.
const TALL: u32 = 20;
