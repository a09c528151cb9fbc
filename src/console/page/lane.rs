use maud::{Markup, html};

use super::super::route::{LaneView, REASONS, STATES, WITHIN, Within};
use super::super::words;
use super::find::messages;
use super::layout::{Frame, facts, none, text, time};
use super::said::{Said, said};
use super::until::until;
use crate::outbox::webhook::source_of;
use crate::outbox::{LaneStats, PausedBy, StoredMessage, Timestamp};

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
    let said = said(&view.lane);
    let main = html! {
        h1 { "Lane " (text(&view.lane)) }
        (state(stats, said))
        (pause(frame, page))
        h2 { "Messages" }
        (filter(view))
        @if page.messages.is_empty() { p { "None." } } @else { (messages(&page.messages)) }
        @if let (true, Some(last)) = (page.has_more, page.messages.last()) {
            p { a rel="next" href=(LaneView { after: Some(last.seq), ..view.clone() }.link()) { "Later ones" } }
        }
        (acts_on_all(frame, page))
    };
    frame.page(&view.lane, false, main)
}

fn state(stats: &LaneStats, said: &Said) -> Markup {
    let mut rows = vec![
        ("wait", html! { (stats.ready) }),
        ("are due", html! { (stats.due) }),
        (said.under_way, html! { (stats.leased) }),
    ];
    if stats.polling > 0 {
        rows.push(("are done by the provider, the result is missing", html! { (stats.polling) }));
    }
    if stats.unknown > 0 {
        rows.push(("may have happened already", html! { (stats.unknown) }));
    }
    if let Some(oldest) = stats.oldest_undelivered {
        rows.push((said.oldest, time(oldest.into())));
    }
    for (why, count) in &stats.dead {
        rows.push(("wait for a person", html! { (count) " (" (why.to_string()) ")" }));
    }
    facts(&rows)
}

fn pause(frame: &Frame<'_>, page: &LanePage) -> Markup {
    let lane = page.view.lane.as_str();
    let hidden = [("lane", lane)];
    html! {
        @if let Some(pause) = &page.stats.paused {
            p {
                "Paused by "
                @match &pause.by {
                    PausedBy::Person(who) => (text(who)),
                    _ => "a worker",
                }
                ": " (text(&pause.why)) ". "
                @if pause.until == Timestamp::NEVER { "It goes on when somebody resumes it." } @else {
                    "It goes on at " (time(pause.until.into())) "."
                }
            }
            @if page.may_steer {
                details {
                    summary { "Resume the lane" }
                    (frame.act("resume", &hidden, html! {}, html! { button { "Resume" } }))
                }
            }
        } @else if page.may_steer {
            details {
                summary { "Pause the lane" }
                p { (page.stats.due) (said(lane).paused) }
                (frame.act("pause", &hidden, html! {
                    (until("somebody resumes it", none()))
                }, html! { button { "Pause" } }))
            }
        }
    }
}

fn filter(view: &LaneView) -> Markup {
    let is_event = source_of(&view.lane).is_some();
    html! {
        form .filter method="get" action="?" {
            input type="hidden" name="lane" value=(view.lane);
            label { "State"
                select name="state" {
                    option value="" { "all" }
                    @for state in STATES {
                        option value=(state.name()) selected[view.state == Some(state)] { (words::state(state, is_event)) }
                    }
                }
            }
            label { "Dead because"
                select name="reason" {
                    option value="" { "all" }
                    @for reason in REASONS {
                        option value=(reason.name()) selected[view.reason == Some(reason)] { (reason.to_string()) }
                    }
                }
            }
            label { "Status of the last answer"
                input name="status" value=[view.status] inputmode="numeric" pattern="[1-5][0-9][0-9]" size="4" autocomplete="off";
            }
            label { "Key begins with" input name="key" value=[&view.key] autocomplete="off"; }
            label { "Error contains" input name="error" value=[&view.error] autocomplete="off"; }
            label { "Enqueued"
                select name="within" {
                    option value="" { "at any time" }
                    @for within in WITHIN {
                        option value=(within.name()) selected[view.within == Some(within)] { (last(within)) }
                    }
                }
            }
            button { "Show" }
        }
    }
}

fn last(within: Within) -> &'static str {
    match within {
        Within::Hour => "in the last hour",
        Within::Day => "in the last 24 hours",
        Within::Week => "in the last 7 days",
    }
}

/// What can be done to all that the filter finds.
fn acts_on_all(frame: &Frame<'_>, page: &LanePage) -> Markup {
    let LanePage { view, dead, may_replay, may_discard, .. } = page;
    let (at, said, fields) = (page.at.0.to_string(), said(&view.lane), view.fields());
    let mut hidden: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    hidden.push(("at", &at));
    html! {
        @if *dead > 0 {
            @if *may_replay {
                details {
                    summary { (said.all[0]) (dead) " again" }
                    p { (said.how_again) }
                    (frame.act("replay_all", &hidden, html! {
                        label .choice {
                            input type="checkbox" name="force" value="yes";
                            " also those whose key the provider has forgotten: they may happen twice"
                        }
                    }, html! { button { (said.all[1]) (dead) " again" } }))
                }
            }
            @if *may_discard {
                details {
                    summary { "Give all " (dead) " up" }
                    (frame.act("discard_all", &hidden, html! {
                        label { "This can't be undone. Write " b { (dead) } " here" input name="count" inputmode="numeric" required autocomplete="off"; }
                        input type="hidden" name="expected" value=(dead);
                    }, html! { button .danger { "Give " (dead) " up" } }))
                }
            }
        }
    }
}
