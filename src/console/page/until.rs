use maud::{Markup, html};

use super::super::words::{Text, Words, say};

/// Until when something is wanted. `open` says how it ends if it has no end.
pub(super) fn until(w: &dyn Words, open: Text, more: Markup) -> Markup {
    // The script writes "your time", and into the form which that is.
    let zone = || html! { span data-zone=(say!(w, "your time")) { "UTC" } };
    html! {
        fieldset {
            legend { (say!(w, "Until")) }
            label .choice { input type="radio" name="until" value="open" required checked; " " (w.html(open)) }
            label .choice { input type="radio" name="until" value="1h" required; " " (say!(w, "in an hour")) }
            label .choice { input type="radio" name="until" value="day" required; " " (say!(w, "the end of the day ({zone})", zone = zone())) }
            label .choice { input type="radio" name="until" value="at" required; " " (say!(w, "this time ({zone}):", zone = zone())) }
            input type="time" name="time" aria-label=(say!(w, "Until this time"));
            input type="hidden" name="zone" value="";
            (more)
        }
    }
}
