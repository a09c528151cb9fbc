use std::time::Duration;

use http::Extensions;

use super::ids::CallId;
use crate::terms::{Delivery, GaveUp};

/// The attempts behind a response, as an extension of it.
///
/// Present after more than one attempt (a [`hedge`](crate::hedge)'s second request counts), on a
/// failed answer that was not retried further, and on a [fallback's](crate::fallback) answer after
/// an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retries {
    /// The attempts that were made.
    pub attempts: u32,
    /// The total time waited between them.
    pub waited: Duration,
    /// Why there was no further attempt, if the last one failed.
    pub gave_up: Option<GaveUp>,
    /// The worst delivery of the other attempts, before this answer or beside it. On a fallback's
    /// answer, of all attempts.
    ///
    /// [`Delivery::Unknown`] means that one of them was lost and the provider may have acted on it.
    /// Then this answer may be a consequence: a 409 or 422 ("already exists", "key in use"), a 404
    /// to a DELETE. Don't take it for a failure; ask the provider for the operation, by its
    /// idempotency key or business key. After [`Delivery::NotSent`] or [`Delivery::Answered`] the
    /// answer means what it says.
    pub earlier: Delivery,
}

/// An extension of an answer that refused a call's credential: there is another one, or will be, so
/// that the call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CredentialRenewed(pub(crate) CallId);

/// An extension of an answer that refused a call's credential, and perhaps not before the provider carried
/// a part of the request out: only what is safe to repeat may be sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarriedOut;

/// An extension of a request: its URI is signed, and must be sent as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UriIsSigned;

impl Retries {
    /// The worst delivery of the other requests of an inner layer that sent several.
    pub(crate) fn left_behind(extensions: &Extensions) -> Option<Delivery> {
        extensions.get::<Self>().map(|inner| inner.earlier)
    }
}
