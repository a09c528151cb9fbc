//! Records what is done to requests before they are sent.

use super::span_scope::{SpanScope, record};
use crate::event::Event;

pub(super) fn record_event(scope: &SpanScope<'_>, event: &Event) {
    match *event {
        Event::Signed { key_id } => record!(
            scope,
            TRACE,
            "an attempt was signed",
            "outrigger.key_id" = key_id.as_ref().map(crate::event::ShortText::as_str),
        ),
        Event::SigningFailed => record!(scope, WARN, "an attempt could not be signed"),
        Event::ClockSkewed { ahead, may_repeat } => record!(
            scope,
            WARN,
            "the provider's clock differs from this machine's",
            "outrigger.clock_ahead_s" = ahead,
            "outrigger.may_repeat" = may_repeat,
        ),
        Event::PinOverridden { pin } => record!(
            scope,
            WARN,
            "a request has another version than the pinned one",
            "outrigger.pin" = pin.as_str(),
        ),
        Event::PinDiffers { pin, version } => record!(
            scope,
            WARN,
            "the provider answers in another version than the pinned one",
            "outrigger.pin" = pin.as_str(),
            "outrigger.version" = version.as_str(),
        ),
        _ => {}
    }
}
