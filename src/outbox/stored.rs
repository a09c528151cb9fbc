use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};

use super::id::MessageId;
use super::progress::Progress;
use super::sealing::key_of_request;
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, Priority, State};

/// All of a message that never changes. `Debug` shows neither its URI nor its headers or body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Content {
    /// Its id.
    pub id: MessageId,
    /// The lane that delivers it.
    pub lane: String,
    /// The key by which the provider knows a repetition.
    pub idempotency_key: String,
    /// The business's own name for the operation.
    pub dedup_key: Option<String>,
    /// Messages of one key are delivered in order.
    pub order_key: Option<String>,
    /// What connects it with what caused it.
    pub correlation_id: Option<String>,
    /// The trace in which it was enqueued (W3C Trace Context).
    pub traceparent: Option<String>,
    /// The path with placeholders, for records.
    pub template: Option<String>,
    /// The request's method.
    pub method: Method,
    /// The request's URI; `/` after it was erased.
    pub uri: Uri,
    /// The request's headers, without credentials.
    pub headers: HeaderMap,
    /// The request's body, as it is sent on every attempt.
    pub body: Bytes,
    /// Tells whether a body is this one, also after it was erased; empty while it is sealed.
    pub fingerprint: String,
    /// Which due messages go first.
    pub priority: Priority,
    /// How many bytes of the answer's body are kept; 0 keeps nothing of it.
    pub keep_answer: u32,
    /// For whom it is, in lanes with a [limit](super::Lane::tenant_limit).
    pub tenant: Option<String>,
    /// When it was enqueued.
    pub created: Timestamp,
    /// The key by which it is [sealed](super::Seal), if it is as it stands here: its body is what was made of the URI, the
    /// headers and the body, and its URI and headers are empty.
    pub sealed_by: Option<String>,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// What never changes.
    pub content: Content,
    /// What changes on its way.
    pub progress: Progress,
}

/// A message as it is stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its place in the order of its key: the place at which it was enqueued.
    pub seq: u64,
    /// What never changes.
    pub content: Content,
    /// What changes on its way.
    pub progress: Progress,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// What the last failure was: the name of a [`Class`](crate::outcome::Class).
    pub last_error: Option<String>,
    /// The answer, if it was to be kept or a settling function needs it.
    pub answer: Option<Answer>,
    /// The request of the batch whose first message it is, as it was sent. Stores read it with [`get`](super::Store::get), with
    /// a claim of that batch and with its members only.
    pub batch_request: Option<Bytes>,
}

/// The provider's answer, as far as it was to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, cut at the cap.
    pub body: Bytes,
    /// The key by which it is [sealed](super::Seal), if it is as it stands here: its body is what was made of the headers
    /// and the body.
    pub sealed_by: Option<String>,
}

/// One attempt of a message, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The lease's token: the first attempt's is 1.
    pub number: u64,
    /// The worker process.
    pub owner: String,
    /// When it began, by the worker's clock; when it was found to have no end, that time.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What it came to: `delivered`, `late`, `hook_failed`, `retryable`, `unknown`, `snoozed`, `accepted`,
    /// `stale` or the name of a [`DeadReason`].
    pub outcome: String,
    /// The answer's status.
    pub status: Option<u16>,
    /// The kind of failure: the name of a [`Class`](crate::outcome::Class).
    pub class: Option<String>,
    /// The provider's own id for the request.
    pub request_id: Option<String>,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// What the host's settling function said when it failed: at most 500 bytes, without what is secret by its looks.
    pub error: Option<String>,
}

/// What a person did to a message or a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The message, if it was done to one.
    pub message: Option<MessageId>,
    /// The lane, if it was done to one.
    pub lane: Option<String>,
    /// What was done: `replay`, `edit`, `cancel`, `discard`, `erase`, `pause` or `resume`.
    pub action: String,
    /// Who did it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A message with all that happened to it.
#[derive(Clone, Debug)]
pub struct History {
    /// The message.
    pub message: StoredMessage,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What people did, in order.
    pub acts: Vec<Act>,
}

impl NewMessage {
    /// The message, edited, in the place of an old one: its business key is taken for as long, unless it says otherwise.
    pub(crate) fn in_place_of(mut self, old: &StoredMessage) -> Self {
        if self.progress.dedup_window.is_zero() {
            self.progress.dedup_window = old.progress.dedup_window;
        }
        self
    }
}

impl StoredMessage {
    /// A message as it is stored at this place.
    #[must_use]
    pub fn new(seq: u64, new: NewMessage) -> Self {
        let NewMessage { content, progress } = new;
        Self {
            seq,
            content,
            progress,
            last_status: None,
            last_error: None,
            answer: None,
            batch_request: None,
        }
    }

    /// Whether messages of its key that came after it have to wait for it.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.progress.is_undecided()
    }

    /// Forgets the request and the answer. Ids, keys and what happened stay.
    pub(crate) fn erase(&mut self) {
        self.content.uri = Uri::default();
        self.content.headers = HeaderMap::new();
        (self.content.body, self.content.sealed_by) = (Bytes::new(), None);
        (self.answer, self.batch_request) = (None, None);
    }

    /// The key without which nothing can be done with it, if there is one.
    pub(crate) fn missing_key(&self) -> Option<&str> {
        let is_settled = self.progress.phase == Phase::Hook;
        let of_answer = self.answer.as_ref().filter(|_| is_settled);
        let of_answer = of_answer.and_then(|answer| answer.sealed_by.as_deref());
        self.content.sealed_by.as_deref().or(of_answer)
    }

    /// The key without which its batch can't be repeated, if there is one.
    pub(crate) fn missing_key_of_batch(&self) -> Option<&str> {
        self.content.sealed_by.as_deref().or_else(|| key_of_request(self.batch_request.as_ref()?))
    }

    /// Whether a worker still has to poll for its result.
    pub(crate) fn is_polling(&self) -> bool {
        let open = matches!(self.progress.state, State::Ready | State::Leased);
        open && self.progress.phase == Phase::Poll
    }

    /// Why a person has to decide about it, if one has to.
    pub(crate) fn waits_for_person(&self) -> Option<DeadReason> {
        self.progress
            .dead_reason
            .filter(|_| self.progress.state == State::Dead && self.progress.replaced_by.is_none())
    }
}

impl Content {
    /// Whether it has this as its id, or as one of its keys.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let keys = [&self.dedup_key, &self.order_key, &self.correlation_id];
        keys.into_iter().flatten().any(|key| key == name)
            || self.idempotency_key == name
            || self.id.to_string() == name
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("id", &self.id)
            .field("lane", &self.lane)
            .field("method", &self.method)
            .field("template", &self.template)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
