use maud::{Markup, html};

use super::super::configure::Rejected;
use super::super::route::link;
use super::super::words::{phrase, say, text};
use super::layout::{Frame, folded, text, time};
use crate::control::{FleetSettings, FleetWord};

/// The settings of an integration on all instances, or why the fleet can't be asked.
pub(in crate::console) struct SettingsView {
    pub(in crate::console) integration: String,
    pub(in crate::console) settings: Result<FleetSettings, String>,
    pub(in crate::console) may_configure: bool,
    /// What somebody wrote just now, and was not stored.
    pub(in crate::console) rejected: Option<Rejected>,
}

/// The page of an integration's settings.
pub(in crate::console) fn settings(frame: &Frame<'_>, view: &SettingsView) -> Markup {
    let (w, name) = (frame.words, &view.integration);
    let to = link(&[("integration", name)]);
    let linked = || html! { a href=(to) { (text(name)) } };
    let known = view.settings.as_ref();
    let main = html! {
        h1 { (say!(w, "Settings of {integration} on all instances", integration = linked())) }
        @match known {
            Err(why) => { p .note.bad { (say!(w, "The fleet's database can't be asked: {error}", error = text(why))) } }
            Ok(known) => { (said(frame, known)) }
        }
        // Of what nobody has seen, nothing is to be replaced.
        @if view.may_configure && (known.is_ok() || view.rejected.is_some()) {
            h2 { (say!(w, "Change them")) }
            (form(frame, view))
        }
        @if let Some(present) = known.ok().and_then(|known| known.present.as_ref()) {
            (folded(w, text!("All settings as they are on this instance"), html! { pre { (text(present)) } }))
        }
    };
    let title = phrase!("Settings of {integration} on all instances", integration = name);
    frame.page(title, false, main)
}

fn said(frame: &Frame<'_>, known: &FleetSettings) -> Markup {
    let w = frame.words;
    html! {
        @match &known.said {
            None => { p { (say!(w, "The fleet says nothing: each instance has the settings of its code and of its file.")) } }
            Some(FleetWord { who, why, since, .. }) => {
                p {
                    (say!(w, "Since {time}, by {who}", time = time(*since), who = text(who))) ": " (text(why)) " "
                    a href=(link(&[("instances", "")])) { (say!(w, "Who obeys")) }
                }
                pre { (text(&known.text)) }
            }
        }
    }
}

fn form(frame: &Frame<'_>, view: &SettingsView) -> Markup {
    let (w, rejected) = (frame.words, view.rejected.as_ref());
    let known = view.settings.as_ref().ok();
    // What was written replaces what was seen when it was, whatever was changed meanwhile.
    let seen = match rejected {
        Some(rejected) => rejected.written.seen,
        None => known.map(|known| known.said.as_ref().map_or(0, |said| said.revision)),
    };
    let seen = seen.map(|seen| seen.to_string());
    let mut hidden = vec![("integration", view.integration.as_str())];
    hidden.extend(seen.as_deref().map(|seen| ("seen", seen)));
    let written = rejected.map(|rejected| rejected.written.text.as_str());
    let now = known.map(|known| known.text.as_str());
    let is_wrong = rejected.map(|_| "true");
    let fields = html! {
        @if let Some(rejected) = rejected {
            div #wrong .note.bad role="alert" {
                (say!(w, "Nothing was stored:"))
                ul { @for error in &rejected.errors { li { (w.html(error.clone())) } } }
            }
        }
        label {
            (say!(w, "All that the fleet is to say, in TOML"))
            textarea name="settings" rows="12" spellcheck="false" aria-invalid=[is_wrong] aria-describedby=[rejected.map(|_| "wrong")] {
                // A browser takes the first end of a line for none of the text's.
                "\n"
                (written.or(now).unwrap_or_default())
            }
        }
        p .hint { (say!(w, "What isn't written here is as in each instance's code; a file's settings don't count then. Without any text, all is undone.")) }
    };
    frame.act("configure", &hidden, fields, html! { button { (say!(w, "Set for all instances")) } })
}
