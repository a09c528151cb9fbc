use maud::{Markup, html};

/// Until when something is wanted. `open` says how it ends if it has no end.
pub(super) fn until(open: &str, more: Markup) -> Markup {
    html! {
        fieldset {
            legend { "Until" }
            label .choice { input type="radio" name="until" value="open" required checked; " " (open) }
            label .choice { input type="radio" name="until" value="1h" required; " in an hour" }
            label .choice { input type="radio" name="until" value="day" required; " the end of the day (" (zone()) ")" }
            label .choice { input type="radio" name="until" value="at" required; " this time (" (zone()) "):" }
            input type="time" name="time" aria-label="Until this time";
            input type="hidden" name="zone" value="";
            (more)
        }
    }
}

/// The script writes "your time", and into the form which that is.
fn zone() -> Markup {
    html! { span data-zone="" { "UTC" } }
}
