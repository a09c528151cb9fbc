//! How it is said of messages that go out, and of webhooks that came in.

use crate::outbox::StoredMessage;
use crate::outbox::webhook::source_of;

/// The words for one of the two.
pub(super) struct Said {
    pub(super) message: &'static str,
    pub(super) enqueued: &'static str,
    pub(super) key: &'static str,
    pub(super) under_way: &'static str,
    pub(super) oldest: &'static str,
    pub(super) next: &'static str,
    pub(super) again: &'static str,
    pub(super) again_button: &'static str,
    /// `Send all 5 again`, without the number.
    pub(super) all: [&'static str; 2],
    pub(super) how_again: &'static str,
    pub(super) forgotten: &'static str,
    pub(super) correct: &'static str,
    pub(super) correct_button: &'static str,
    pub(super) paused: &'static str,
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
    message: "Message",
    enqueued: "Enqueued",
    key: "Business key",
    under_way: "are being sent",
    oldest: "the oldest that isn't delivered",
    next: "sent next",
    again: "Send it again",
    again_button: "Send again",
    all: ["Send all ", "Send "],
    how_again: "Each is sent with its own key, in the order in which they were enqueued, so that a provider that honours keys does nothing twice. What dies from now on isn't among them.",
    forgotten: "even if the provider has forgotten its key: it may happen twice",
    correct: "Correct its body and send it",
    correct_button: "Send the corrected one",
    paused: " messages are due now. What is being sent goes on; nothing is lost.",
};

const IN: Said = Said {
    message: "Webhook",
    enqueued: "Received",
    key: "Provider's id",
    under_way: "are being handled",
    oldest: "the oldest that isn't handled",
    next: "handled next",
    again: "Handle it again",
    again_button: "Handle again",
    all: ["Handle all ", "Handle "],
    how_again: "Each is handled in the order in which they were received. What dies from now on isn't among them.",
    forgotten: "even if it has been handled: it may happen twice",
    correct: "Correct its body and handle it",
    correct_button: "Handle the corrected one",
    paused: " webhooks are to be handled now. What is being handled goes on; they are still received, and nothing is lost.",
};
