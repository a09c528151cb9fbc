use std::time::Duration;

use http::Extensions;

use crate::terms::{Delivery, GaveUp};

/// What it took to get a response, in its extensions.
///
/// Present where there was more than one attempt (a [`hedge`](crate::hedge)'s second request is one),
/// where a failed answer was given up on, and on a [fallback's](crate::fallback) answer after an
/// attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retries {
    /// The attempts that were made.
    pub attempts: u32,
    /// How long was waited between them.
    pub waited: Duration,
    /// Why there was no further one, where the last failed.
    pub gave_up: Option<GaveUp>,
    /// What is known of the other attempts, those before this answer or beside it: the worst of them. On
    /// a fallback's answer, of all attempts.
    ///
    /// [`Delivery::Unknown`] means that one of them was lost and may have been done. Then this answer
    /// may be about that one: a 409 or 422 ("already exists", "key in use"), a 404 to a DELETE. Don't
    /// take it for a failure; ask the provider what there is, by the key or by what the business calls
    /// the operation. After [`Delivery::NotSent`] or [`Delivery::Answered`] the answer means what it
    /// says.
    pub earlier: Delivery,
}

impl Retries {
    /// What an attempt further in, which had several requests, is known to have left behind.
    pub(crate) fn left_behind(extensions: &Extensions) -> Option<Delivery> {
        extensions.get::<Self>().map(|inner| inner.earlier)
    }
}
