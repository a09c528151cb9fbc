use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::id::MessageId;
use super::stored::{Answer, StoredMessage};
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, State};

/// The receipt for an enqueued message, by which its state can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// The message: for a duplicate, the first one. It can't be guessed.
    pub id: MessageId,
    /// The key by which the provider knows a repetition.
    pub idempotency_key: String,
    /// Whether a message of the same key was stored already, and this one wasn't stored.
    pub is_duplicate: bool,
}

/// Where an enqueued message stands, for whoever enqueued it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TicketState {
    /// It waits to be sent.
    Accepted {
        /// When it is sent next.
        next_at: Timestamp,
        /// How many attempts failed.
        attempts: u32,
    },
    /// It is being sent.
    Sending,
    /// The provider accepted the job; its result is asked for.
    Polling {
        /// When it is asked for next.
        next_at: Timestamp,
    },
    /// The provider did it.
    Delivered {
        /// The status that said so.
        status: Option<u16>,
        /// The answer, if it was [kept](super::Message::keep_answer) and isn't [sealed](super::Seal) by a key that doesn't
        /// open it here.
        answer: Option<Answer>,
    },
    /// A person has to decide what happens with it.
    Parked {
        /// Why.
        why: DeadReason,
        /// The edited message that took its place.
        replaced_by: Option<MessageId>,
    },
    /// It was called off, or a person gave it up.
    Cancelled,
    /// There is no such message, or none any more.
    Unknown,
}

impl TicketState {
    pub(crate) fn of(message: StoredMessage) -> Self {
        let StoredMessage { content, progress, last_status, answer, .. } = message;
        let is_told = |answer: &Answer| content.keep_answer > 0 && answer.sealed_by.is_none();
        let answer = answer.filter(is_told);
        match (progress.state, progress.phase) {
            (State::Delivered, _) | (State::Ready | State::Leased, Phase::Hook) => {
                Self::Delivered { status: last_status, answer }
            }
            (State::Ready | State::Leased, Phase::Poll) => {
                Self::Polling { next_at: progress.not_before }
            }
            (State::Ready, Phase::Send | Phase::Handle) => {
                Self::Accepted { next_at: progress.not_before, attempts: progress.attempt }
            }
            (State::Leased, Phase::Send | Phase::Handle) => Self::Sending,
            (State::Dead, _) => Self::Parked {
                why: progress.dead_reason.unwrap_or(DeadReason::Rejected),
                replaced_by: progress.replaced_by,
            },
            (State::Cancelled | State::Discarded, _) => Self::Cancelled,
        }
    }

    /// Whether nothing more happens without a person.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Accepted { .. } | Self::Sending | Self::Polling { .. })
    }

    /// An HTTP answer to whoever asks, at `now`: 202 with `Location` and `Retry-After` while it is open or
    /// parked, because it may still be delivered; 200 with the answer, as far as it was kept and can be
    /// opened here; 410 if it was called off or is not stored any more.
    ///
    /// `location` is where to ask again. Of the answer's headers, only `content-type` is passed on.
    #[must_use]
    pub fn to_response(&self, location: &HeaderValue, now: Timestamp) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = match self {
            Self::Delivered { .. } => StatusCode::OK,
            Self::Cancelled | Self::Unknown => StatusCode::GONE,
            _ => StatusCode::ACCEPTED,
        };
        if let Self::Delivered { answer: Some(answer), .. } = self {
            *response.body_mut() = answer.body.clone();
            if let Some(kind) = answer.headers.get(CONTENT_TYPE) {
                response.headers_mut().insert(CONTENT_TYPE, kind.clone());
            }
        }
        if let Some(wait) = self.retry_after(now) {
            response.headers_mut().insert(LOCATION, location.clone());
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        response
    }

    /// When to ask again: until the next attempt, from 1 s to 60 s.
    fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Accepted { next_at, .. } | Self::Polling { next_at } => {
                Some(next_at.since(now).clamp(SHORTEST, LONGEST))
            }
            Self::Sending => Some(SHORTEST),
            Self::Parked { .. } => Some(LONGEST),
            Self::Delivered { .. } | Self::Cancelled | Self::Unknown => None,
        }
    }
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
