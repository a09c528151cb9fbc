use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;

use crate::outbox::OutboxError;
use crate::terms::inbox::InboxErrorKind;

/// Why a webhook was not accepted: which check failed. It holds no secret, and of headers only the names.
#[derive(Debug)]
pub struct InboxError {
    kind: InboxErrorKind,
    header: Option<&'static str>,
    source: Option<OutboxError>,
}

impl InboxError {
    /// For a scheme of your own.
    #[must_use]
    pub fn new(kind: InboxErrorKind) -> Self {
        Self { kind, header: None, source: None }
    }

    /// Names the header that it is about.
    #[must_use]
    pub fn header(mut self, name: &'static str) -> Self {
        self.header = Some(name);
        self
    }

    pub(super) fn malformed(header: &'static str) -> Self {
        Self::new(InboxErrorKind::MalformedHeader).header(header)
    }

    pub(super) fn store(source: Option<OutboxError>) -> Self {
        Self { source, ..Self::new(InboxErrorKind::Store) }
    }

    /// Which check failed.
    #[must_use]
    pub fn kind(&self) -> InboxErrorKind {
        self.kind
    }

    /// The answer's status. A provider sends a webhook again for any but 2xx; 503 and 500 say that it
    /// should.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind {
            InboxErrorKind::Method => StatusCode::METHOD_NOT_ALLOWED,
            InboxErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            InboxErrorKind::BodyFailed => StatusCode::BAD_REQUEST,
            InboxErrorKind::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            InboxErrorKind::Busy | InboxErrorKind::Store => StatusCode::SERVICE_UNAVAILABLE,
            InboxErrorKind::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "webhook not accepted: {}", self.kind)?;
        match self.header {
            Some(header) => write!(f, " ({header})"),
            None => Ok(()),
        }
    }
}

impl StdError for InboxError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
