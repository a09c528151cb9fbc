use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Why a request could not be signed. It is not sent.
///
/// Its text is shown in errors and health: put no secret and no part of the request into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError {
    detail: Arc<str>,
}

impl SignError {
    /// The reason, as a text that begins in lower case.
    pub fn new(detail: impl Into<Arc<str>>) -> Self {
        Self { detail: detail.into() }
    }

    /// The scheme needs the body's bytes, and they aren't all in memory.
    #[must_use]
    pub fn streamed() -> Self {
        Self::new("its body is a stream, which is not known before it is sent: give its bytes")
    }

    pub(super) fn detail(&self) -> Arc<str> {
        Arc::clone(&self.detail)
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl StdError for SignError {}
