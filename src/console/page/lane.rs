use maud::{Markup, html};

use super::super::route::{LaneView, REASONS, STATES, WITHIN, Within};
use super::super::words::{self, Phrase, Text, Words, counted, phrase, say, text};
use super::find::messages;
use super::layout::{Frame, facts, folded, none, text, time};
use super::said::{Said, said};
use super::until::until;
use crate::outbox::webhook::source_of;
use crate::outbox::{LaneStats, Pause, PausedBy, StoredMessage, Timestamp};

/// A lane, and a part of its messages.
pub(in crate::console) struct LanePage {
    pub(in crate::console) view: LaneView,
    pub(in crate::console) stats: LaneStats,
    /// The store's time when they were read.
    pub(in crate::console) at: Timestamp,
    pub(in crate::console) messages: Vec<StoredMessage>,
    /// How many of those that are asked for are dead.
    pub(in crate::console) dead: u64,
    /// Whether there may be more behind these.
    pub(in crate::console) has_more: bool,
    pub(in crate::console) may_steer: bool,
    pub(in crate::console) may_replay: bool,
    pub(in crate::console) may_discard: bool,
}

/// The page of a lane.
pub(in crate::console) fn lane(frame: &Frame<'_>, page: &LanePage) -> Markup {
    let LanePage { view, stats, .. } = page;
    let (w, said) = (frame.words, said(&view.lane));
    let main = html! {
        h1 { (say!(w, "Lane {name}", name = text(&view.lane))) }
        (state(w, stats, said))
        (pause(frame, page))
        h2 { (say!(w, "Messages")) }
        (filter(frame, view))
        @if page.messages.is_empty() { p { (say!(w, "None.")) } } @else { (messages(w, &page.messages)) }
        @if let (true, Some(last)) = (page.has_more, page.messages.last()) {
            p { a rel="next" href=(LaneView { after: Some(last.seq), ..view.clone() }.link()) { (say!(w, "Later ones")) } }
        }
        (acts_on_all(frame, page))
    };
    frame.page(&view.lane, false, main)
}

fn state(w: &dyn Words, stats: &LaneStats, said: &Said) -> Markup {
    let mut rows = vec![
        (text!("wait"), html! { (stats.ready) }),
        (text!("are due"), html! { (stats.due) }),
        (said.under_way, html! { (stats.leased) }),
    ];
    if stats.polling > 0 {
        rows.push((
            text!("are done by the provider, the result is missing"),
            html! { (stats.polling) },
        ));
    }
    if stats.unknown > 0 {
        rows.push((text!("may have happened already"), html! { (stats.unknown) }));
    }
    if let Some(oldest) = stats.oldest_undelivered {
        rows.push((said.oldest, time(oldest.into())));
    }
    for (why, count) in &stats.dead {
        rows.push((
            text!("wait for a person"),
            html! { (count) " (" (w.html(words::dead_reason(*why))) ")" },
        ));
    }
    facts(w, rows)
}

fn pause(frame: &Frame<'_>, page: &LanePage) -> Markup {
    let (w, lane) = (frame.words, page.view.lane.as_str());
    let hidden = [("lane", lane)];
    html! {
        @if let Some(pause) = &page.stats.paused {
            p { (w.html(paused(pause))) }
            @if page.may_steer {
                @let button = html! { button { (say!(w, "Resume")) } };
                (folded(w, text!("Resume the lane"), frame.act("resume", &hidden, none(), button)))
            }
        } @else if page.may_steer {
            @let until = until(w, text!("somebody resumes it"), none());
            @let button = html! { button { (say!(w, "Pause")) } };
            (folded(w, text!("Pause the lane"), html! {
                p { (w.html(Phrase::of(said(lane).paused, page.stats.due))) }
                (frame.act("pause", &hidden, until, button))
            }))
        }
    }
}

fn paused(pause: &Pause) -> Phrase {
    let by = match &pause.by {
        PausedBy::Person(who) => Phrase::from(text(who)),
        _ => phrase!("a worker"),
    };
    let paused = phrase!("Paused by {who}: {why}.", who = by, why = text(&pause.why));
    let end = match pause.until {
        Timestamp::NEVER => phrase!("It goes on when somebody resumes it."),
        until => phrase!("It goes on at {time}.", time = time(until.into())),
    };
    Phrase::list([paused, end], " ")
}

fn filter(frame: &Frame<'_>, view: &LaneView) -> Markup {
    let (w, is_event) = (frame.words, source_of(&view.lane).is_some());
    html! {
        form .filter method="get" action="?" {
            input type="hidden" name="lane" value=(view.lane);
            label { (say!(w, "State"))
                select name="state" {
                    option value="" { (say!(w, "all")) }
                    @for state in STATES {
                        option value=(state.name()) selected[view.state == Some(state)] { (w.html(words::state(state, is_event))) }
                    }
                }
            }
            label { (say!(w, "Dead because"))
                select name="reason" {
                    option value="" { (say!(w, "all")) }
                    @for reason in REASONS {
                        option value=(reason.name()) selected[view.reason == Some(reason)] { (w.html(words::dead_reason(reason))) }
                    }
                }
            }
            label { (say!(w, "Status of the last answer"))
                input name="status" value=[view.status] inputmode="numeric" pattern="[1-5][0-9][0-9]" size="4" autocomplete="off";
            }
            @if frame.may_search {
                label { (say!(w, "Key begins with")) input name="key" value=[&view.key] autocomplete="off"; }
            }
            label { (say!(w, "Error contains")) input name="error" value=[&view.error] autocomplete="off"; }
            label { (say!(w, "Enqueued"))
                select name="within" {
                    option value="" { (say!(w, "at any time")) }
                    @for within in WITHIN {
                        option value=(within.name()) selected[view.within == Some(within)] { (w.html(last(within))) }
                    }
                }
            }
            button { (say!(w, "Show")) }
        }
    }
}

fn last(within: Within) -> Text {
    match within {
        Within::Hour => text!("in the last hour"),
        Within::Day => text!("in the last 24 hours"),
        Within::Week => text!("in the last 7 days"),
    }
}

/// What can be done to all that the filter finds.
fn acts_on_all(frame: &Frame<'_>, page: &LanePage) -> Markup {
    let LanePage { view, dead, may_replay, may_discard, .. } = page;
    let (w, at, said, dead) = (frame.words, page.at.0.to_string(), said(&view.lane), *dead);
    let fields = view.fields();
    let mut hidden: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    hidden.push(("at", &at));
    let again = || {
        let force = html! {
            label .choice {
                input type="checkbox" name="force" value="yes"; " "
                (say!(w, "also those whose key the provider has forgotten: they may happen twice"))
            }
        };
        let button = html! { button { (w.html(Phrase::of(said.all[1], dead))) } };
        html! { p { (w.html(said.how_again)) } (frame.act("replay_all", &hidden, force, button)) }
    };
    let give_up = || {
        let number = html! { b { (dead) } };
        let count = html! {
            label {
                (say!(w, "This can't be undone. Write {number} here", number = number))
                input name="count" inputmode="numeric" required autocomplete="off";
            }
            input type="hidden" name="expected" value=(dead);
        };
        let button = html! { button .danger { (w.html(counted!("Give {n} up", n = dead))) } };
        frame.act("discard_all", &hidden, count, button)
    };
    html! {
        @if dead > 0 {
            @if *may_replay { (folded(w, Phrase::of(said.all[0], dead), again())) }
            @if *may_discard { (folded(w, counted!("Give all {n} up", n = dead), give_up())) }
        }
    }
}
