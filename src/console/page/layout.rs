use std::time::SystemTime;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::access::Actor;
use super::super::assets;
use super::super::form_token::FormTokens;
use super::super::route::link;
use super::super::words;

/// What every page has: who looks, what they just did, and the tokens of forms.
pub(in crate::console) struct Frame<'a> {
    pub(in crate::console) actor: &'a Actor,
    pub(in crate::console) tokens: &'a FormTokens,
    pub(in crate::console) now: SystemTime,
    /// What came of the act before.
    pub(in crate::console) note: Option<Note>,
    pub(in crate::console) may_search: bool,
    /// Whether there are other instances to be shown.
    pub(in crate::console) has_fleet: bool,
}

/// A sentence on top of a page.
pub(in crate::console) struct Note {
    pub(in crate::console) is_good: bool,
    pub(in crate::console) text: String,
}

/// One of them.
pub(in crate::console) fn note(is_good: bool, text: impl Into<String>) -> Note {
    Note { is_good, text: text.into() }
}

impl Frame<'_> {
    /// A whole page.
    pub(super) fn page(&self, title: &str, is_live: bool, main: Markup) -> Markup {
        let live = link(&[("live", "1")]);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (words::shown(title)) " · outrigger" }
                    link rel="stylesheet" href=(assets::STYLE.link());
                    link rel="icon" href="data:,";
                    @if is_live {
                        noscript { meta http-equiv="refresh" content="15"; }
                    }
                    script src=(assets::SCRIPT.link()) defer {}
                }
                body data-live=[is_live.then_some(live)] {
                    a .skip href="#main" { "To the content" }
                    header {
                        nav aria-label="Pages" {
                            a href="?" { "Integrations" }
                            @if self.has_fleet {
                                a href=(link(&[("instances", "")])) { "Instances" }
                            }
                            a href=(link(&[("acts", "")])) { "What people did" }
                        }
                        @if self.may_search {
                            form role="search" method="get" action="?" {
                                label for="find" { "Find" }
                                input #find type="search" name="find" placeholder="order, message, correlation id" maxlength="256";
                                button { "Find" }
                            }
                        }
                        p .who { "You are " (words::shown(&self.actor.name)) }
                    }
                    main #main tabindex="-1" {
                        @if let Some(note) = &self.note {
                            p .note.bad[!note.is_good] role="status" { (words::shown(&note.text)) }
                        }
                        (main)
                    }
                    footer { p { "This process, at " (time(self.now)) } }
                }
            }
        }
    }

    /// A form that does something. `hidden` are the fields that say what; a reason is asked for.
    pub(super) fn act(
        &self,
        act: &str,
        hidden: &[(&str, &str)],
        fields: Markup,
        button: Markup,
    ) -> Markup {
        html! {
            form method="post" action="?" {
                input type="hidden" name="act" value=(act);
                input type="hidden" name="token" value=(self.tokens.token(self.actor, act, self.now));
                @for (name, value) in hidden {
                    input type="hidden" name=(name) value=(value);
                }
                (fields)
                label { "Why" input name="why" required maxlength="500" autocomplete="off"; }
                (button)
            }
        }
    }
}

/// A time, for people and machines.
pub(super) fn time(at: SystemTime) -> Markup {
    let date = words::date(at);
    html! { time datetime=(date) { (date.replace('T', " ").replace('Z', " UTC")) } }
}

/// A list of names and values.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl {
            @for (name, value) in facts {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// Text of a stranger.
pub(super) fn text(text: &str) -> Markup {
    html! { bdi { (words::shown(text)) } }
}

/// Nothing.
pub(super) fn none() -> Markup {
    PreEscaped(String::new())
}
