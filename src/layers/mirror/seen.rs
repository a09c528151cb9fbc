use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::terms::Class;

/// The result of a call or of its copy, for a comparison.
///
/// `Debug` shows the status and sizes only: an answer may hold personal data.
#[derive(Clone)]
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
        /// Whether the body is complete, within the cap.
        complete: bool,
    },
    /// There was no answer, or its body failed.
    Failed {
        /// The class of the failure.
        class: Class,
    },
}

/// The first bytes of a body that is read.
#[derive(Debug)]
pub(super) struct CappedBody {
    /// Copied, because a chunk may keep a much larger buffer alive.
    bytes: Vec<u8>,
    cap: usize,
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

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, headers: _, body, complete } => f
                .debug_struct("Answered")
                .field("status", status)
                .field("body", &body.len())
                .field("complete", complete)
                .finish_non_exhaustive(),
            Self::Failed { class } => f.debug_struct("Failed").field("class", class).finish(),
        }
    }
}

impl CappedBody {
    /// Up to `cap` bytes.
    pub(super) fn new(cap: usize) -> Self {
        Self { bytes: Vec::new(), cap, complete: true }
    }

    pub(super) fn add(&mut self, chunk: &[u8]) {
        let kept = &chunk[..chunk.len().min(self.cap - self.bytes.len())];
        self.complete &= kept.len() == chunk.len();
        self.bytes.extend_from_slice(kept);
    }

    pub(super) fn answered(self, status: StatusCode, headers: HeaderMap) -> Seen {
        let Self { bytes, complete, .. } = self;
        Seen::Answered { status, headers, body: bytes.into(), complete }
    }
}
