use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::outcome::Class;

/// What came of a call or of its copy, for a comparison.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Seen {
    /// It was answered.
    Answered {
        /// The status.
        status: StatusCode,
        /// The headers.
        headers: HeaderMap,
        /// The body, up to the cap.
        body: Bytes,
        /// The cap cut nothing off.
        complete: bool,
    },
    /// There was no answer, or its body broke.
    Failed {
        /// What it failed of.
        class: Class,
    },
}

/// What is kept of a body that passes.
#[derive(Debug)]
pub(super) struct Kept {
    chunks: Vec<Bytes>,
    room: usize,
    complete: bool,
}

impl Seen {
    /// The status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::Failed { .. } => None,
        }
    }

    /// The headers, if there was an answer.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        match self {
            Self::Answered { headers, .. } => Some(headers),
            Self::Failed { .. } => None,
        }
    }

    /// The body up to the cap, if there was an answer.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        match self {
            Self::Answered { body, .. } => Some(body),
            Self::Failed { .. } => None,
        }
    }
}

impl Kept {
    /// Up to `cap` bytes.
    pub(super) fn new(cap: usize) -> Self {
        Self { chunks: Vec::new(), room: cap, complete: true }
    }

    pub(super) fn add(&mut self, chunk: &Bytes) {
        let kept = chunk.slice(..chunk.len().min(self.room));
        self.complete &= kept.len() == chunk.len();
        self.room -= kept.len();
        if !kept.is_empty() {
            self.chunks.push(kept);
        }
    }

    pub(super) fn answered(self, status: StatusCode, headers: HeaderMap) -> Seen {
        let mut chunks = self.chunks.into_iter();
        let body = match (chunks.next(), chunks.len()) {
            (first, 0) => first.unwrap_or_default(),
            (first, _) => first.into_iter().chain(chunks).collect::<Vec<_>>().concat().into(),
        };
        let complete = self.complete;
        Seen::Answered { status, headers, body, complete }
    }
}
