use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderName, StatusCode};

use super::stored::Answer;
use crate::rt::callback;

/// How to ask for the result of a job that the provider accepted by a 202 (RFC 9110, 15.3.3).
///
/// Where to ask is told by `Operation-Location`, else by `Location`, else by a field of the body. How often, by
/// `Retry-After`, else every 5 s. A 202 that doesn't say where to ask is a success.
///
/// A reference is relative to the URI that was sent (RFC 3986, 5.2). If it can't be asked, or leads to another
/// origin that the integration doesn't [allow](crate::IntegrationBuilder::allow_origin), the message is parked
/// as [`UnknownOutcome`](super::DeadReason::UnknownOutcome): the request would carry the credentials there.
///
/// ```
/// use outrigger::outbox::{Polled, Polling};
///
/// let polling = Polling::new().ended(|answer| match &answer.body[..] {
///     body if body.starts_with(b"done") => Polled::Done,
///     body if body.starts_with(b"failed") => Polled::Failed,
///     _ => Polled::Running,
/// });
/// # let _ = polling;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Polling {
    pub(super) every: Duration,
    pointer: Option<Arc<Find>>,
    ended: Option<Arc<Ended>>,
}

type Find = dyn Fn(&Answer) -> Option<String> + Send + Sync;
type Ended = dyn Fn(&Answer) -> Polled + Send + Sync;

/// What a provider says about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Polled {
    /// It goes on.
    Running,
    /// It has been done: the message is delivered, with this answer.
    Done,
    /// It failed for good: the message is dead.
    Failed,
}

impl Polling {
    /// The defaults.
    pub fn new() -> Self {
        Self { every: Duration::from_secs(5), pointer: None, ended: None }
    }

    /// How often to ask, where the provider doesn't say.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// Where to ask, if neither header says it: the field of a JSON body at this pointer (RFC 6901).
    #[cfg(feature = "json")]
    pub fn body_pointer(self, pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        self.find(move |answer| {
            let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            Some(body.pointer(&pointer)?.as_str()?.to_owned())
        })
    }

    /// Where to ask, if neither header says it, by this function over the first answer.
    pub fn find<F>(mut self, find: F) -> Self
    where
        F: Fn(&Answer) -> Option<String> + Send + Sync + 'static,
    {
        self.pointer = Some(Arc::new(find));
        self
    }

    /// Whether the job has ended, by this function over an answer that is a success. By default, a 202 says
    /// that it goes on, and any other success that it is done. If it panics, the job goes on.
    pub fn ended<F>(mut self, ended: F) -> Self
    where
        F: Fn(&Answer) -> Polled + Send + Sync + 'static,
    {
        self.ended = Some(Arc::new(ended));
        self
    }

    /// Where to ask for the job that this answer accepts: a reference, as the provider wrote it.
    pub(super) fn reference(&self, answer: &Answer) -> Option<String> {
        if answer.status != StatusCode::ACCEPTED.as_u16() {
            return None;
        }
        let header = |name: HeaderName| answer.headers.get(name)?.to_str().ok().map(str::to_owned);
        let find = || callback::call("polling", || self.pointer.as_ref()?(answer)).flatten();
        header(OPERATION_LOCATION).or_else(|| header(LOCATION)).or_else(find)
    }

    pub(super) fn state(&self, answer: &Answer) -> Polled {
        match &self.ended {
            Some(ended) => callback::call("polling", || ended(answer)).unwrap_or(Polled::Running),
            None if answer.status == StatusCode::ACCEPTED.as_u16() => Polled::Running,
            None => Polled::Done,
        }
    }
}

impl Default for Polling {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polling").field("every", &self.every).finish_non_exhaustive()
    }
}

/// Azure's and others' (Microsoft REST API Guidelines, long-running operations).
const OPERATION_LOCATION: HeaderName = HeaderName::from_static("operation-location");
