use super::id::MessageId;
use super::input::{ExpiredKey, Input};
use super::stored::{Attempt, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Refusal, State};

/// Which messages are meant. Without anything set, all of them.
///
/// ```
/// use outrigger::outbox::{DeadReason, Filter};
///
/// let refused = Filter::dead().lane("mailer").reason(DeadReason::Rejected);
/// # let _ = refused;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Filter {
    /// Of this lane.
    pub lane: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// Dead for this reason.
    pub reason: Option<DeadReason>,
    /// Of this order key.
    pub order_key: Option<String>,
    /// With this as its id, business key, order key, correlation id or idempotency key, or as the provider's id of one of
    /// its requests.
    pub named: Option<String>,
    /// Enqueued at this time or later.
    pub created_from: Option<Timestamp>,
    /// Enqueued before this time.
    pub created_before: Option<Timestamp>,
    /// With this status on its last answer.
    pub status: Option<u16>,
    /// With a business key or an order key that begins with this.
    pub key_prefix: Option<String>,
    /// With this text in its last error, in upper or lower case of `A` to `Z`.
    pub error: Option<String>,
}

/// A part of what a [`Filter`] finds, at most 1,000 messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Page {
    /// After the message with this [`seq`](StoredMessage::seq).
    pub after: Option<u64>,
    /// At most so many.
    pub size: usize,
}

/// Which messages a person acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// This one.
    One(MessageId),
    /// All that the filter finds, in the order in which they were enqueued.
    All(Filter),
}

/// What a person does to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Dead messages are sent again, each with its own key, from attempt 1 and with a new deadline.
    Replay(ExpiredKey),
    /// Waiting messages are called off.
    Cancel,
    /// Dead messages are given up.
    Discard,
    /// Requests and answers of messages that aren't open are removed, with their URIs and where they were polled; ids,
    /// keys, the template and what happened stay recorded.
    Erase,
}

/// What an act did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// The messages that were changed, in order.
    pub changed: Vec<MessageId>,
    /// Those that were left as they are, and why.
    pub refused: Vec<(MessageId, Refusal)>,
}

impl Filter {
    /// Every message.
    pub fn all() -> Self {
        Self::default()
    }

    /// Dead ones.
    pub fn dead() -> Self {
        Self::all().state(State::Dead)
    }

    /// Of this lane.
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// In this state.
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Dead for this reason.
    pub fn reason(mut self, reason: DeadReason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Of this order key.
    pub fn order_key(mut self, key: impl Into<String>) -> Self {
        self.order_key = Some(key.into());
        self
    }

    /// With this as its id, business key, order key, correlation id or idempotency key, or as the provider's id of one of
    /// its requests. Databases have an index for each.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.named = Some(name.into());
        self
    }

    /// Enqueued from this time on, and before that one.
    pub fn created(mut self, from: Timestamp, before: Timestamp) -> Self {
        (self.created_from, self.created_before) = (Some(from), Some(before));
        self
    }

    /// With this status on its last answer.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With a business key or an order key that begins with this.
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = Some(prefix.into());
        self
    }

    /// With this text in its last error, in upper or lower case of `A` to `Z`.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = Some(text.into());
        self
    }

    /// Whether it finds this message, as far as its attempts don't tell.
    #[must_use]
    pub fn finds(&self, message: &StoredMessage) -> bool {
        self.finds_with(message, &[])
    }

    /// Whether it finds this message, which has had these attempts.
    pub(crate) fn finds_with(&self, message: &StoredMessage, attempts: &[Attempt]) -> bool {
        let StoredMessage { content, progress, last_status, last_error, .. } = message;
        let begins = |prefix: &String| {
            let keys = [&content.dedup_key, &content.order_key];
            keys.into_iter().flatten().any(|key| key.starts_with(prefix))
        };
        let failed_with = |text: &String| {
            let error = last_error.as_deref().unwrap_or_default().to_ascii_lowercase();
            last_error.is_some() && error.contains(&text.to_ascii_lowercase())
        };
        let has_request =
            |id: &String| attempts.iter().any(|attempt| attempt.request_id.as_ref() == Some(id));
        let is = |wanted: &Option<String>, value: Option<&String>| {
            wanted.is_none() || wanted.as_ref() == value
        };
        is(&self.lane, Some(&content.lane))
            && is(&self.order_key, content.order_key.as_ref())
            && self.named.as_ref().is_none_or(|name| content.is_named(name) || has_request(name))
            && self.state.is_none_or(|state| state == progress.state)
            && self.reason.is_none_or(|reason| Some(reason) == progress.dead_reason)
            && self.created_from.is_none_or(|from| content.created >= from)
            && self.created_before.is_none_or(|before| content.created < before)
            && self.status.is_none_or(|status| Some(status) == *last_status)
            && self.key_prefix.as_ref().is_none_or(begins)
            && self.error.as_ref().is_none_or(failed_with)
    }
}

impl Page {
    /// The first of them.
    pub fn first(size: usize) -> Self {
        Self { after: None, size: size.min(MOST) }
    }

    /// Those that follow the message with this [`seq`](StoredMessage::seq).
    pub fn after(seq: u64, size: usize) -> Self {
        Self { after: Some(seq), size: size.min(MOST) }
    }
}

impl Action {
    /// The word for it in the record of acts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay(_) => "replay",
            Self::Cancel => "cancel",
            Self::Discard => "discard",
            Self::Erase => "erase",
        }
    }

    pub(crate) const fn input(self) -> Input {
        match self {
            Self::Replay(key) => Input::Replay { key },
            Self::Cancel => Input::Cancel,
            Self::Discard => Input::Discard,
            Self::Erase => Input::Erase,
        }
    }
}

/// The largest page: its messages are in memory with their bodies.
const MOST: usize = 1_000;
