use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::error::TokenError;
use super::secret::Secret;

/// Where tokens come from. Implemented by every async function of a [`TokenRequest`].
///
/// It runs in a task of its own, one at a time, and is dropped after the layer's
/// [`fetch_timeout`](super::TokenLayer::fetch_timeout). A panic is a transient error.
pub trait Issuer: Send + Sync + 'static {
    /// Gets a token.
    fn issue(
        &self,
        request: TokenRequest,
    ) -> impl Future<Output = Result<Token, TokenError>> + Send;

    /// Whether a refresh token would be lost if the issuer were dropped now. It is asked under a lock that
    /// all calls share: for this crate's own issuers.
    #[doc(hidden)]
    fn has_unsaved(&self) -> bool {
        false
    }
}

/// A request for a token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The reason.
    pub reason: TokenReason,
}

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenReason {
    /// There is none yet.
    First,
    /// The present one ends soon, and is still sent.
    Ahead,
    /// The present one has ended.
    Expired,
    /// The provider refused the present one: an issuer that keeps tokens must make a new one.
    Refused,
}

/// A token, and how long it lives. `Debug` doesn't show it.
#[derive(Clone)]
#[must_use = "a token does nothing until an issuer returns it"]
pub struct Token {
    pub(super) secret: Secret,
    pub(super) lifetime: Lifetime,
    /// The issuer's clock when it answered.
    pub(super) issuer_time: Option<SystemTime>,
}

/// How long a token lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lifetime {
    Unknown,
    /// From when its request was sent.
    For(Duration),
    Until(SystemTime),
    /// It has no end, and is asked for again after this time.
    RenewAfter(Duration),
}

impl TokenRequest {
    /// A request for this reason, for tests of an issuer.
    #[must_use]
    pub fn new(reason: TokenReason) -> Self {
        Self { reason }
    }
}

impl Token {
    /// A token whose lifetime nobody knows: it is renewed every five minutes, and sent until then.
    pub fn new(secret: impl Into<String>) -> Self {
        Self::of(Secret::new(secret.into()))
    }

    pub(super) fn of(secret: Secret) -> Self {
        Self { secret, lifetime: Lifetime::Unknown, issuer_time: None }
    }

    /// It lives this long from when it was asked for. Less than a second is a failed refresh.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Lifetime::For(lifetime);
        self
    }

    /// It lives until then, by the machine's wall clock.
    pub fn expires_at(mut self, end: SystemTime) -> Self {
        self.lifetime = Lifetime::Until(end);
        self
    }

    /// It has no end, and is asked for again after this time: for keys that people rotate.
    pub fn renew_after(mut self, time: Duration) -> Self {
        self.lifetime = Lifetime::RenewAfter(time);
        self
    }

    /// The issuer's clock when it answered, the answer's `Date`: for
    /// [`check`](crate::Integration::check), which says if the clocks differ.
    pub fn issuer_time(mut self, time: SystemTime) -> Self {
        self.issuer_time = Some(time);
        self
    }
}

impl Lifetime {
    /// How long it is for a token whose request was sent then, if that is known.
    pub(super) fn at(self, sent: SystemTime) -> Option<Duration> {
        match self {
            Self::For(lifetime) => Some(lifetime),
            Self::Until(end) => Some(end.duration_since(sent).unwrap_or_default()),
            Self::Unknown | Self::RenewAfter(_) => None,
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

impl<F, R> Issuer for F
where
    F: Fn(TokenRequest) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Token, TokenError>> + Send,
{
    fn issue(
        &self,
        request: TokenRequest,
    ) -> impl Future<Output = Result<Token, TokenError>> + Send {
        self(request)
    }
}

type BoxedIssue = Pin<Box<dyn Future<Output = Result<Token, TokenError>> + Send>>;

/// An issuer as a trait object.
pub(super) trait AnyIssuer: Send + Sync {
    fn issue_boxed(self: Arc<Self>, request: TokenRequest) -> BoxedIssue;

    /// As [`Issuer::has_unsaved`].
    fn must_stay(&self) -> bool;
}

impl<I: Issuer> AnyIssuer for I {
    fn issue_boxed(self: Arc<Self>, request: TokenRequest) -> BoxedIssue {
        // In the future, so that a panic of the function itself is caught with those of its future.
        Box::pin(async move { self.issue(request).await })
    }

    fn must_stay(&self) -> bool {
        self.has_unsaved()
    }
}
