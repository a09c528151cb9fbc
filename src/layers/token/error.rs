use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::outcome::Error;
use crate::terms::TokenFailure;

/// Why an issuer gave no token. All callers that wait for it get the same one.
///
/// Its text is shown in errors, health and [`check`](crate::Integration::check): put no secret and
/// no answer's body into it.
///
/// ```
/// use std::time::Duration;
/// use outrigger::token::{TokenError, TokenFailure};
///
/// let down = TokenError::transient("the vault answered 503").retry_in(Duration::from_secs(5));
/// assert_eq!(down.failure(), TokenFailure::Transient);
/// assert_eq!(TokenError::settled("the key was revoked").to_string(), "the key was revoked");
/// ```
#[derive(Clone, Debug)]
pub struct TokenError {
    failure: TokenFailure,
    detail: Arc<str>,
    retry_after: Option<Duration>,
}

impl TokenError {
    /// The issuer may give one later: it is down, slow, or asks to wait.
    pub fn transient(detail: impl Into<Arc<str>>) -> Self {
        Self::of(TokenFailure::Transient, detail.into())
    }

    /// The issuer refuses, and will until somebody changes something: the client is unknown, its
    /// secret is wrong, the scope isn't allowed. It is asked again about once a minute.
    pub fn settled(detail: impl Into<Arc<str>>) -> Self {
        Self::of(TokenFailure::Settled, detail.into())
    }

    /// A person has to log in again. It is asked again about once a minute.
    pub fn needs_login(detail: impl Into<Arc<str>>) -> Self {
        Self::of(TokenFailure::NeedsLogin, detail.into())
    }

    /// The issuer wants to be left alone for this long; at most five minutes count.
    #[must_use]
    pub fn retry_in(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Which of the three it is.
    #[must_use]
    pub fn failure(&self) -> TokenFailure {
        self.failure
    }

    /// How long the issuer wants to be left alone, if it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The token had ended when it came, or lives for less than a second.
    pub(super) fn ended() -> Self {
        Self::transient("the issuer gave a token that has ended")
    }

    pub(super) fn detail(&self) -> Arc<str> {
        Arc::clone(&self.detail)
    }

    fn of(failure: TokenFailure, detail: Arc<str>) -> Self {
        Self { failure, detail, retry_after: None }
    }
}

/// A call to the issuer that came to nothing; another may come to something.
impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        let retry_after = error.retry_after();
        Self { retry_after, ..Self::transient(error.to_string()) }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl StdError for TokenError {}
