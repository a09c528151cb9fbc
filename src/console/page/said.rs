//! How it is said of messages that go out, and of webhooks that came in.

use super::super::words::{Text, counted_text, text};
use crate::outbox::StoredMessage;
use crate::outbox::webhook::source_of;

/// The words for one of the two.
pub(super) struct Said {
    pub(super) message: Text,
    pub(super) enqueued: Text,
    pub(super) key: Text,
    pub(super) under_way: Text,
    pub(super) oldest: Text,
    pub(super) next: Text,
    pub(super) again: Text,
    pub(super) again_button: Text,
    /// `Send all 5 again`.
    pub(super) all: [Text; 2],
    pub(super) how_again: Text,
    pub(super) forgotten: Text,
    pub(super) correct: Text,
    pub(super) correct_button: Text,
    pub(super) paused: Text,
}

pub(super) fn said(lane: &str) -> &'static Said {
    if source_of(lane).is_some() { &IN } else { &OUT }
}

/// For all of these: as for messages, unless they all are webhooks.
pub(super) fn said_of(messages: &[StoredMessage]) -> &'static Said {
    let is_event = |one: &StoredMessage| source_of(&one.content.lane).is_some();
    if messages.iter().all(is_event) { &IN } else { &OUT }
}

const OUT: Said = Said {
    message: text!("Message"),
    enqueued: text!("Enqueued"),
    key: text!("Business key"),
    under_way: text!("are being sent"),
    oldest: text!("the oldest that isn't delivered"),
    next: text!("sent next"),
    again: text!("Send it again"),
    again_button: text!("Send again"),
    all: [counted_text!("Send all {n} again"), counted_text!("Send {n} again")],
    how_again: text!(
        "Each is sent with its own key, in the order in which they were enqueued, so that a provider that honours keys does nothing twice. What dies from now on isn't among them."
    ),
    forgotten: text!("even if the provider has forgotten its key: it may happen twice"),
    correct: text!("Correct its body and send it"),
    correct_button: text!("Send the corrected one"),
    paused: counted_text!("{n} messages are due now. What is being sent goes on; nothing is lost."),
};

const IN: Said = Said {
    message: text!("Webhook"),
    enqueued: text!("Received"),
    key: text!("Provider's id"),
    under_way: text!("are being handled"),
    oldest: text!("the oldest that isn't handled"),
    next: text!("handled next"),
    again: text!("Handle it again"),
    again_button: text!("Handle again"),
    all: [counted_text!("Handle all {n} again"), counted_text!("Handle {n} again")],
    how_again: text!(
        "Each is handled in the order in which they were received. What dies from now on isn't among them."
    ),
    forgotten: text!("even if it has been handled: it may happen twice"),
    correct: text!("Correct its body and handle it"),
    correct_button: text!("Handle the corrected one"),
    paused: counted_text!(
        "{n} webhooks are to be handled now. What is being handled goes on; they are still received, and nothing is lost."
    ),
};
