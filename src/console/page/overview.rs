use std::time::SystemTime;

use maud::{Markup, html};

use super::super::minutes::{HOUR, Kind, Minute, Minutes};
use super::super::route::{LaneView, link};
use super::super::words::{self, Phrase, Words, counted, phrase, say, text};
use super::layout::{Frame, facts, table, text, time};
use crate::control::{FleetHealth, Health};
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
    /// Its last hour, if calls are remembered.
    pub(in crate::console) minutes: Option<Minutes>,
    /// Until when somebody wanted a control to be where it is.
    pub(in crate::console) until: Option<SystemTime>,
}

impl Card {
    /// The last five minutes; nothing if calls aren't remembered.
    pub(in crate::console) fn lately(&self, now: SystemTime) -> Minute {
        self.minutes.as_ref().map(|minutes| minutes.lately(now)).unwrap_or_default()
    }
}

/// One lane.
#[derive(Clone, Debug)]
pub(in crate::console) struct LaneCard {
    pub(in crate::console) name: String,
    pub(in crate::console) stats: LaneStats,
}

/// The first page.
pub(in crate::console) fn overview(frame: &Frame<'_>, view: &OverviewView) -> Markup {
    let (w, now) = (frame.words, frame.now);
    let main = html! {
        h1 { (say!(w, "Integrations")) }
        (summary(w, view, now))
        div #cards .cards {
            @for of in &view.cards { (card(w, of, now)) }
        }
        (outbox(w, view, now))
    };
    frame.page(text!("Integrations"), true, main)
}

/// The parts that may change, each an element with an id: the sentence on top, each card, which of them there are and in
/// which order, and the lanes.
pub(in crate::console) fn parts(
    w: &dyn Words,
    view: &OverviewView,
    now: SystemTime,
) -> Vec<String> {
    let order = view.cards.iter().map(card_id).collect::<Vec<_>>().join(" ");
    let mut parts = vec![summary(w, view, now).into_string()];
    parts.extend(view.cards.iter().map(|of| card(w, of, now).into_string()));
    parts.push(html! { div #cards data-order=(order) {} }.into_string());
    parts.push(outbox(w, view, now).into_string());
    parts
}

fn summary(w: &dyn Words, view: &OverviewView, now: SystemTime) -> Markup {
    let dead: u64 = view.lanes.iter().map(|lane| lane.stats.dead_in_all()).sum();
    let unwell =
        view.cards.iter().filter(|card| words::needs_person(&card.health, &card.lately(now)));
    html! {
        p #summary aria-live="polite" { (w.html(in_all(view.cards.len(), unwell.count(), dead))) }
    }
}

fn outbox(w: &dyn Words, view: &OverviewView, now: SystemTime) -> Markup {
    html! {
        section #outbox {
            @if let Some(trouble) = &view.trouble {
                p .note.bad { (say!(w, "The outbox can't be read: {error}", error = text(trouble))) }
            }
            @if !view.lanes.is_empty() {
                h2 { (say!(w, "Outbox")) }
                (lanes(w, &view.lanes, now))
            }
        }
    }
}

fn in_all(all: usize, unwell: usize, dead: u64) -> Phrase {
    let calls = match (all, unwell) {
        (0, _) => phrase!("No integration is registered here"),
        (1, 0) => phrase!("The one integration works"),
        (all, 0) => counted!("All {n} integrations work", n = all),
        (all, unwell) => counted!("{n} of {all} integrations need a look", n = unwell, all = all),
    };
    let dead = (dead > 0).then(|| counted!("{n} messages wait for a person", n = dead));
    phrase!("{what}.", what = Phrase::list([calls, dead.into()], "; "))
}

/// What is shown of one integration, and replaced when it changes.
pub(in crate::console) fn card(w: &dyn Words, of: &Card, now: SystemTime) -> Markup {
    let Card { health, minutes, until } = of;
    let lately = of.lately(now);
    let status = words::status_of(health, &lately);
    html! {
        article .card.(status.name()) id=(card_id(of)) {
            h2 {
                a href=(link(&[("integration", &health.integration)])) { (text(&health.integration)) }
                " "
                span .state { span aria-hidden="true" { (words::shape(status)) } " " (w.html(words::status(status))) }
            }
            p { (w.html(words::sentence(health, &lately, now))) }
            @if let Some(fleet) = &health.fleet { (of_fleet(w, fleet)) }
            @if let Some(until) = until {
                @if *until < now {
                    p .late { (say!(w, "It was wanted until {time}. Is the reason still true?", time = time(*until))) }
                } @else {
                    p { (say!(w, "Wanted until {time}.", time = time(*until))) }
                }
            }
            @if status != Status::Up {
                @if let Some(since) = health.since { p { (say!(w, "Since {time}.", time = time(since))) } }
            }
            @if let Some(minutes) = minutes {
                (facts(w, words::figures(&lately).into_iter().map(|(name, value)| (name, w.html(value)))))
                (strip(w, minutes, now))
            } @else {
                p .hint { (w.html(words::NOT_REMEMBERED)) }
            }
        }
    }
}

/// What is the matter between this instance and its fleet.
fn of_fleet(w: &dyn Words, fleet: &FleetHealth) -> Markup {
    html! {
        @if !fleet.has_heard {
            p .late { (say!(w, "This instance hasn't heard its fleet yet: controls and settings are its own.")) }
        } @else if let Some(since) = fleet.unheard_since {
            p .late { (say!(w, "This instance hasn't heard its fleet since {time}: controls and settings stay as they are.", time = time(since))) }
        }
        @if let Some(error) = &fleet.error {
            p .late { (say!(w, "The last look at it failed: {error}", error = text(error))) }
        }
        @for trouble in &fleet.troubles {
            p .late { (say!(w, "This instance doesn't obey its fleet: {of}: {why}", of = text(&trouble.of), why = text(&trouble.why))) }
        }
    }
}

/// The last hour: a bar a minute, as high as its share of calls, its failures dark.
fn strip(w: &dyn Words, minutes: &Minutes, now: SystemTime) -> Markup {
    let hour: Vec<Minute> = minutes.hour(now).collect();
    let most = hour.iter().map(Minute::calls).max().unwrap_or_default().max(1);
    let height = |count: u32| f64::from(count) * f64::from(TALL) / f64::from(most);
    let calls: u32 = hour.iter().map(Minute::calls).sum();
    let failed: u32 = hour.iter().map(bad).sum();
    let label = counted!(
        "The last hour: {n} calls, of which {failed} failed or were refused.",
        n = calls,
        failed = failed
    );
    html! {
        svg .strip role="img" aria-label=(w.html(label)) viewBox=(format!("0 0 {HOUR} {TALL}")) preserveAspectRatio="none" {
            @for (x, minute) in hour.iter().enumerate() {
                @let all = height(minute.calls());
                @let bad = height(bad(minute));
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

fn bad(minute: &Minute) -> u32 {
    minute.failed() + minute.of(Kind::Refused)
}

fn lanes(w: &dyn Words, lanes: &[LaneCard], now: SystemTime) -> Markup {
    let ago = |at: crate::outbox::Timestamp| {
        words::time(now.duration_since(SystemTime::from(at)).unwrap_or_default())
    };
    let rows = html! {
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
                td { @if let Some(pause) = &stats.paused { (text(&pause.why)) } @else { (say!(w, "no")) } }
            }
        }
    };
    let columns = [
        text!("Lane"),
        text!("Waiting"),
        text!("Being sent"),
        text!("Oldest waits for"),
        text!("Wait for a person"),
        text!("Paused"),
    ];
    table(w, text!("Lanes of the outbox"), &columns, rows)
}

fn dead(lane: &str) -> String {
    LaneView { lane: lane.to_owned(), state: Some(State::Dead), ..LaneView::default() }.link()
}

/// An id that every name may have.
fn card_id(card: &Card) -> String {
    let name = card.health.integration.bytes();
    name.fold("card-".to_owned(), |id, byte| id + &format!("{byte:02x}"))
}

/// The height of the strip.
const TALL: u32 = 20;
