use std::error::Error as StdError;
use std::fmt;

use crate::outcome::BoxError;
use crate::terms::outbox::Refusal;

/// Why the outbox didn't do what was asked.
///
/// Its text names what to do, and holds no URL, no key and no body. The store's own error is its
/// [`source`](StdError::source); of one that PostgreSQL told, only the SQLSTATE and the constraint.
pub struct OutboxError(Box<Inner>);

/// What kind of failure an [`OutboxError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxErrorKind {
    /// The message can't be sent as it is, or has no lane.
    Message,
    /// Settings can't work.
    Settings,
    /// The message names no lane, and there are several; or it names none of the outbox's.
    Lane,
    /// What a person asked for isn't possible in the message's state.
    Refused,
    /// The store is locked by others at the moment.
    Busy,
    /// The store doesn't answer at the moment.
    Unavailable,
    /// The store's disk is full: the message was not accepted.
    Full,
    /// The store can't be written to: the message was not accepted.
    ReadOnly,
    /// Another worker process has this store.
    Taken,
    /// The store is of a kind or a version that this version can't use.
    Unsupported,
    /// The host's function that [seals](super::Seal) failed: nothing was stored.
    Seal,
    /// The store failed in another way.
    Store,
}

struct Inner {
    kind: OutboxErrorKind,
    detail: String,
    source: Option<BoxError>,
}

impl OutboxError {
    pub(crate) fn new(kind: OutboxErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, detail: detail.into(), source: None }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> OutboxErrorKind {
        self.0.kind
    }

    /// Whether the same may succeed later without a change: workers go on trying.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use OutboxErrorKind::{Busy, Full, ReadOnly, Unavailable};
        matches!(self.0.kind, Busy | Unavailable | Full | ReadOnly)
    }
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl fmt::Debug for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, detail, source } = &*self.0;
        f.debug_struct("OutboxError")
            .field("kind", kind)
            .field("detail", detail)
            .field("source", source)
            .finish()
    }
}

impl StdError for OutboxError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// There is no such message.
pub(crate) fn missing() -> OutboxError {
    OutboxError::new(OutboxErrorKind::Refused, "there is no such message")
}

pub(crate) fn refused(why: Refusal) -> OutboxError {
    OutboxError::new(OutboxErrorKind::Refused, why.to_string())
}

/// An edited message must not have a key that is known.
pub(crate) fn used_key() -> OutboxError {
    let why = "its idempotency key or its business key is another message's: choose a new one";
    OutboxError::new(OutboxErrorKind::Message, why)
}
