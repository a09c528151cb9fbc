//! What tells that a message is a webhook: an inbox writes it, and people read it.

use super::stored::StoredMessage;

/// A header of a message of an inbox: what its scheme said of the event, or one of the request's that it keeps.
pub(crate) fn header<'a>(message: &'a StoredMessage, name: &str) -> Option<&'a str> {
    message.content.headers.get(name)?.to_str().ok()
}

/// The source whose events a lane has, if it is one of an inbox.
pub(crate) fn source_of(lane: &str) -> Option<&str> {
    lane.strip_prefix(LANES)
}

/// What lanes of an inbox begin with.
pub(crate) const LANES: &str = "inbox:";
/// The provider's id for the event.
pub(crate) const ID: &str = "outrigger-event-id";
/// What kind of event it is.
pub(crate) const KIND: &str = "outrigger-event-kind";
/// When it happened, in milliseconds since 1970.
pub(crate) const TIME: &str = "outrigger-event-time";
