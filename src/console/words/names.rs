//! What states, acts and controls are called.

use super::language::Text;
use super::phrase::{Phrase, phrase, text};
use crate::terms::outbox::{DeadReason, State};
use crate::terms::{Delivery, Status};

/// The state in a word.
pub(in crate::console) fn status(status: Status) -> Text {
    match status {
        Status::Up => text!("works"),
        Status::Degraded => text!("look here"),
        Status::Down => text!("down"),
        Status::Stopped => text!("stopped"),
    }
}

/// What the provider may have done.
pub(in crate::console) fn delivery(delivery: Delivery) -> Text {
    match delivery {
        Delivery::NotSent => text!("the provider didn't do it"),
        Delivery::Unknown => text!("the provider may have done it"),
        Delivery::Answered => text!("the provider answered"),
    }
}

/// Where a message stands, or the webhook that it is.
pub(in crate::console) fn state(state: State, is_event: bool) -> Text {
    match state {
        State::Delivered if is_event => text!("handled"),
        State::Leased if is_event => text!("being handled"),
        State::Leased => text!("being sent"),
        state => Text::word(state.name()),
    }
}

/// Why a message is dead.
pub(in crate::console) fn dead_reason(why: DeadReason) -> Text {
    Text::word(why.text())
}

/// What was done to a message or a lane, as it is recorded.
pub(in crate::console) fn action(name: &str) -> Phrase {
    Phrase::from(match name {
        "pause" => text!("pause"),
        "resume" => text!("resume"),
        "replay" => text!("replay"),
        "edit" => text!("edit"),
        "reveal" => text!("reveal"),
        "cancel" => text!("cancel"),
        "discard" => text!("discard"),
        "erase" => text!("erase"),
        other => return Phrase::from(other),
    })
}

/// A shape beside the word, so that it isn't told by colour alone.
pub(in crate::console) fn shape(status: Status) -> &'static str {
    match status {
        Status::Up => "●",
        Status::Degraded => "▲",
        Status::Down => "■",
        _ => "◼",
    }
}

/// A control's name for people.
pub(in crate::console) fn control_name(name: &str) -> Phrase {
    match name {
        "kill_switch" => phrase!("the kill switch"),
        "circuit_breaker" => phrase!("the circuit breaker"),
        "fault_injection" => phrase!("fault injection"),
        other => Phrase::from(other),
    }
}
