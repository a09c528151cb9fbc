use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;

use crate::inbox::error::InboxError;
use crate::inbox::facts::Verified;
use crate::outbox::Timestamp;

/// How a provider signs its webhooks.
///
/// A function of the request's head, its body and the time is a scheme of your own:
///
/// ```
/// use bytes::Bytes;
/// use http::request::Parts;
/// use outrigger::inbox::{Facts, InboxError, InboxErrorKind, Scheme, Secret, Verified};
/// use outrigger::outbox::Timestamp;
///
/// fn acme(secret: Secret) -> impl Scheme {
///     move |head: &Parts, body: &Bytes, _now: Timestamp| -> Result<Verified, InboxError> {
///         let missing = || InboxError::new(InboxErrorKind::MissingHeader).header("x-acme-mac");
///         let mac = head.headers.get("x-acme-mac").ok_or_else(missing)?;
///         match secret.signed(&[body], mac.as_bytes()) {
///             true => Ok(Facts::of_body().into()),
///             false => Err(InboxError::new(InboxErrorKind::Signature)),
///         }
///     }
/// }
/// # let _ = acme(Secret::from("secret"));
/// ```
///
/// If it panics, the webhook is answered with 500 and not recorded.
pub trait Scheme: Send + Sync + 'static {
    /// Whether the provider sent this, and what it is. The body is as it arrived. It must be verified before
    /// it is parsed, in a time that doesn't depend on where a signature is wrong.
    ///
    /// # Errors
    ///
    /// [`InboxError`], which says which check failed.
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError>;

    /// What the head alone tells, before anything of the body is read: that a header is missing, that a
    /// signature can't be one, that the time is too long ago. It accepts all unless the scheme says otherwise;
    /// [`verify`](Self::verify) decides.
    ///
    /// # Errors
    ///
    /// [`InboxError`], which says which check failed.
    fn precheck(&self, _head: &Parts, _now: Timestamp) -> Result<(), InboxError> {
        Ok(())
    }

    /// For how long the provider sends an event again that was not accepted: 76 h unless the scheme says
    /// otherwise, which is the example of Standard Webhooks. The outbox must keep events for at least as long.
    fn repeats_for(&self) -> Duration {
        Duration::from_secs(76 * 3600)
    }

    /// The largest body that the provider sends, in bytes: 1 MiB unless the scheme says otherwise.
    fn max_body(&self) -> usize {
        1024 * 1024
    }

    /// How long it may take from the request's head to the answer: 4 s unless the scheme says otherwise. It
    /// should be less than the provider waits, so that the provider hears what happened.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(4)
    }
}

impl<F> Scheme for F
where
    F: Fn(&Parts, &Bytes, Timestamp) -> Result<Verified, InboxError> + Send + Sync + 'static,
{
    fn verify(&self, head: &Parts, body: &Bytes, now: Timestamp) -> Result<Verified, InboxError> {
        self(head, body, now)
    }
}
