use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use http::request::Parts;

use super::capacity::Capacity;
use super::counts::{InboxCounts, Tally};
use super::error::InboxError;
use super::facts::Verified;
use super::record::{Received, record};
use super::scheme::Scheme;
use crate::outbox::{Outbox, Timestamp};
use crate::rt::{self, Clock, callback};
use crate::terms::inbox::InboxErrorKind;

/// Where the webhooks of one source come in. Clones are the same inbox.
///
/// It is a tower service to mount. The example is in the [module](super).
#[derive(Clone)]
pub struct Inbox(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) source: String,
    pub(super) scheme: Box<dyn Scheme>,
    pub(super) outbox: Outbox,
    pub(super) max_body: usize,
    pub(super) capacity: Capacity,
    pub(super) time_limit: Duration,
    pub(super) max_attempts: u32,
    pub(super) api_version: Option<String>,
    pub(super) clock: Clock,
    pub(super) tally: Tally,
}

impl Inbox {
    /// The source's name.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counts(&self) -> InboxCounts {
        self.0.tally.counts()
    }

    /// Verifies a webhook and records it, without the service's HTTP: for a framework that has read the body
    /// already. The body must be the bytes that arrived.
    ///
    /// # Errors
    ///
    /// [`InboxError`], which says why it is not recorded, and by which
    /// [status](InboxError::status) to answer.
    pub async fn receive(&self, head: &Parts, body: Bytes) -> Result<Received, InboxError> {
        let received = self.take_in(head, body).await;
        self.counted(received)
    }

    async fn take_in(&self, head: &Parts, body: Bytes) -> Result<Received, InboxError> {
        if body.len() > self.0.max_body {
            return Err(InboxError::new(InboxErrorKind::TooLarge));
        }
        let mut place = self.0.capacity.enter()?;
        place.hold_last(body.len())?;
        self.verify_and_record(head, body, self.due()).await
    }

    /// Refuses what the head alone refuses.
    pub(super) fn precheck(&self, head: &Parts) -> Result<(), InboxError> {
        if head.method != Method::POST {
            return Err(InboxError::new(InboxErrorKind::Method));
        }
        self.asked(|scheme, now| scheme.precheck(head, now))
    }

    /// What the host's scheme says, which may panic.
    fn asked<T>(
        &self,
        ask: impl FnOnce(&dyn Scheme, Timestamp) -> Result<T, InboxError>,
    ) -> Result<T, InboxError> {
        let now = self.0.clock.wall().into();
        let told = callback::call("scheme", || ask(&*self.0.scheme, now));
        told.ok_or_else(|| InboxError::new(InboxErrorKind::Panicked))?
    }

    /// When a request that comes now has to be answered.
    pub(super) fn due(&self) -> Instant {
        rt::after(rt::now(), self.0.time_limit)
    }

    pub(super) async fn verify_and_record(
        &self,
        head: &Parts,
        body: Bytes,
        due: Instant,
    ) -> Result<Received, InboxError> {
        let inner = &*self.0;
        if head.method != Method::POST {
            return Err(InboxError::new(InboxErrorKind::Method));
        }
        let facts = match self.asked(|scheme, now| scheme.verify(head, &body, now))? {
            Verified::Event(facts) => facts,
            Verified::Answer(answer) => return Ok(Received::Answer(answer)),
        };
        let recording = record(&inner.outbox, &inner.source, inner.max_attempts, &facts, body);
        let recorded = rt::until(Some(due), recording).await;
        let received = recorded
            .ok_or_else(|| InboxError::store(None))?
            .map_err(|error| InboxError::store(Some(error)))?;
        let is_new = matches!(received, Received::Recorded(_));
        let versions = facts.api_version.as_ref().zip(inner.api_version.as_ref());
        if is_new && versions.is_some_and(|(told, expected)| told != expected) {
            inner.tally.count(|counts| counts.other_version += 1);
            self.tell("an event of another api version", "other_version", None);
        }
        Ok(received)
    }

    pub(super) fn counted(
        &self,
        received: Result<Received, InboxError>,
    ) -> Result<Received, InboxError> {
        self.0.tally.count(|counts| match &received {
            Ok(Received::Recorded(_)) => counts.recorded += 1,
            Ok(Received::Duplicate { replayed, .. }) => {
                counts.duplicates += 1;
                counts.replayed += u64::from(*replayed);
            }
            Ok(Received::Answer(_)) => counts.answered += 1,
            Err(error) => *counts.refused.entry(error.kind()).or_default() += 1,
        });
        if let Err(error) = &received {
            self.tell("a webhook was not accepted", error.kind().name(), StdError::source(error));
        }
        received
    }

    /// Tells a person, who must not be told more than they can read. The cause is a store's error, which holds
    /// nothing of what was sent.
    #[cfg(feature = "tracing")]
    fn tell(&self, what: &'static str, why: &'static str, cause: Option<&dyn StdError>) {
        let Some(times) = self.0.tally.tell(why) else { return };
        let (source, cause) = (self.source(), cause.map(ToString::to_string));
        // The subscriber is the host's, and may panic.
        let _ = callback::call("tracing", || {
            tracing::warn!(target: "outrigger", source, why, times, cause, "{what}");
        });
    }

    #[cfg(not(feature = "tracing"))]
    fn tell(&self, _: &'static str, why: &'static str, _: Option<&dyn StdError>) {
        let _ = self.0.tally.tell(why);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("source", &self.source()).finish_non_exhaustive()
    }
}
