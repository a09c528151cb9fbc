use std::time::SystemTime;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::access::Actor;
use super::super::assets;
use super::super::form_token::FormTokens;
use super::super::route::link;
use super::super::words::{self, Phrase, Text, Words, say};

/// What every page has: who looks, what they just did, and the tokens of forms.
pub(in crate::console) struct Frame<'a> {
    pub(in crate::console) actor: &'a Actor,
    pub(in crate::console) words: &'a dyn Words,
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
    pub(in crate::console) text: Phrase,
}

/// One of them.
pub(in crate::console) fn note(is_good: bool, text: Phrase) -> Note {
    Note { is_good, text }
}

impl Frame<'_> {
    /// A whole page.
    pub(super) fn page(&self, title: impl Into<Phrase>, is_live: bool, main: Markup) -> Markup {
        let w = self.words;
        let lost = say!(w, "Not live since {time}.", time = "{time}");
        let live = link(&[("live", "1")]);
        html! {
            (DOCTYPE)
            html lang=(w.language()) dir=[w.is_right_to_left().then_some("rtl")] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (w.html(title)) " · outrigger" }
                    link rel="stylesheet" href=(assets::STYLE.link());
                    link rel="icon" href="data:,";
                    @if is_live {
                        noscript { meta http-equiv="refresh" content="15"; }
                    }
                    script src=(assets::SCRIPT.link()) defer {}
                }
                body data-live=[is_live.then_some(live)] data-lost=[is_live.then_some(lost)] {
                    a .skip href="#main" { (say!(w, "To the content")) }
                    header {
                        nav aria-label=(say!(w, "Pages")) {
                            a href="?" { (say!(w, "Integrations")) }
                            @if self.has_fleet {
                                a href=(link(&[("instances", "")])) { (say!(w, "Instances")) }
                            }
                            a href=(link(&[("acts", "")])) { (say!(w, "What people did")) }
                        }
                        @if self.may_search {
                            form role="search" method="get" action="?" {
                                label for="find" { (say!(w, "Find")) }
                                input #find type="search" name="find" placeholder=(say!(w, "order, message, correlation id")) maxlength="256";
                                button { (say!(w, "Find")) }
                            }
                        }
                        p .who { (say!(w, "You are {name}", name = &self.actor.name)) }
                    }
                    main #main tabindex="-1" {
                        @if let Some(note) = &self.note {
                            p .note.bad[!note.is_good] role="status" { (w.html(note.text.clone())) }
                        }
                        (main)
                    }
                    footer { p { (say!(w, "This process, at {time}", time = time(self.now))) } }
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
        let w = self.words;
        html! {
            form method="post" action="?" {
                input type="hidden" name="act" value=(act);
                input type="hidden" name="token" value=(self.tokens.token(self.actor, act, self.now));
                @for (name, value) in hidden {
                    input type="hidden" name=(name) value=(value);
                }
                (fields)
                label { (say!(w, "Why")) input name="why" required maxlength="500" autocomplete="off"; }
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
pub(super) fn facts(w: &dyn Words, facts: impl IntoIterator<Item = (Text, Markup)>) -> Markup {
    html! {
        dl {
            @for (name, value) in facts {
                div { dt { (w.html(name)) } dd { (value) } }
            }
        }
    }
}

/// A table that can be moved where it is wider than the screen; its columns have these names.
pub(super) fn table(w: &dyn Words, name: Text, columns: &[Text], rows: Markup) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label=(w.html(name)) {
            table {
                thead { tr { @for column in columns { th scope="col" { (w.html(*column)) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// A part that is folded, under a name.
pub(super) fn folded(w: &dyn Words, name: impl Into<Phrase>, more: Markup) -> Markup {
    html! { details { summary { (w.html(name)) } (more) } }
}

/// Text of a stranger.
pub(super) fn text(text: &str) -> Markup {
    html! { bdi { (words::shown(text)) } }
}

/// Nothing.
pub(super) fn none() -> Markup {
    PreEscaped(String::new())
}
