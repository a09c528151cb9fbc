use std::fmt;

use bytes::Bytes;

use super::facts::Facts;
use crate::outbox::webhook::{self, ID, KIND, LANES, TIME, source_of};
use crate::outbox::{Message, MessageId, StoredMessage, Timestamp};

/// A recorded event, for the function that handles it.
///
/// `Debug` shows neither its headers nor its body.
#[derive(Clone)]
pub struct ReceivedEvent {
    message: StoredMessage,
}

impl ReceivedEvent {
    /// The event that is stored as this message of an inbox's lane.
    #[must_use]
    pub fn of(message: &StoredMessage) -> Self {
        Self { message: message.clone() }
    }

    /// The row that it is, for people's acts.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        self.message.content.id
    }

    /// The source that it came from.
    #[must_use]
    pub fn source(&self) -> &str {
        let lane = self.message.content.lane.as_str();
        source_of(lane).unwrap_or(lane)
    }

    /// The provider's id for it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.header(ID)
    }

    /// What kind of event it is, such as `invoice.paid`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.header(KIND)
    }

    /// When it happened, as the provider says. For Shopify, it is not signed:
    /// [see there](super#by-what-an-event-is-known).
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.header(TIME)?.parse().ok().map(Timestamp)
    }

    /// When it was recorded.
    #[must_use]
    pub fn recorded(&self) -> Timestamp {
        self.message.content.created
    }

    /// What it is about. [Order](super#order) among events of one key is for the handler to keep.
    #[must_use]
    pub fn order_key(&self) -> Option<&str> {
        self.header(ORDER_KEY)
    }

    /// The version of the provider's API in which it is written.
    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.header(API_VERSION)
    }

    /// A header of the request, if the scheme keeps it and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        webhook::header(&self.message, name)
    }

    /// The body, as it arrived.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.message.content.body
    }

    /// Which attempt to handle it this is; the first is 1. A person's replay begins anew.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.message.progress.handled()
    }

    /// Whether it is not older than what was applied last: for events that carry a whole state, of which
    /// the newest counts, because no provider promises an order. Keep [`time`](Self::time) with the row that
    /// the event is about. An event without a time is never older, and neither is one of the same time.
    ///
    /// ```
    /// # use outrigger::inbox::ReceivedEvent;
    /// # use outrigger::outbox::Timestamp;
    /// # struct Customer { changed: Option<Timestamp> }
    /// fn apply(event: &ReceivedEvent, customer: &mut Customer) {
    ///     if event.is_newest_since(customer.changed) {
    ///         customer.changed = event.time();
    ///         // and the rest of its state
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn is_newest_since(&self, applied: Option<Timestamp>) -> bool {
        match (self.time(), applied) {
            (Some(time), Some(applied)) => time >= applied,
            _ => true,
        }
    }
}

impl fmt::Debug for ReceivedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedEvent")
            .field("message_id", &self.message_id())
            .field("source", &self.source())
            .field("kind", &self.kind())
            .field("body_bytes", &self.body().len())
            .finish_non_exhaustive()
    }
}

/// The message as which an event is stored, without its key.
pub(super) fn message(source: &str, facts: &Facts, body: Bytes) -> Message {
    let mut message =
        Message::post(format!("/inbox/{source}")).lane(lane(source)).body(body).handled();
    for (name, value) in facts.headers.iter().filter(|(name, _)| !name.as_str().starts_with(OURS)) {
        message = message.header(name.clone(), value.clone());
    }
    let time = facts.time.map(|time| time.0.to_string());
    let known = [
        (ID, &facts.id),
        (KIND, &facts.kind),
        (TIME, &time),
        (ORDER_KEY, &facts.order_key),
        (API_VERSION, &facts.api_version),
    ];
    for (name, value) in known {
        if let Some(value) = fit(value) {
            message = message.header(name, value);
        }
    }
    // By which people find it.
    match fit(&facts.id) {
        Some(id) => message.correlated(id),
        None => message,
    }
}

/// The lane in which a source's events are stored.
///
/// ```
/// assert_eq!(outrigger::inbox::lane("stripe"), "inbox:stripe");
/// ```
#[must_use]
pub fn lane(source: &str) -> String {
    format!("{LANES}{source}")
}

/// A text that suits every store and page. What a provider calls so has no more than that.
fn fit(text: &Option<String>) -> Option<&str> {
    let is_fit = |text: &&str| {
        (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    text.as_deref().filter(is_fit)
}

/// What the scheme said of the event is kept beside the request's headers, under names of our own.
const OURS: &str = "outrigger-event-";
const ORDER_KEY: &str = "outrigger-event-order-key";
const API_VERSION: &str = "outrigger-event-api-version";
