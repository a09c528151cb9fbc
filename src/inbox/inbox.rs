use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::request::Parts;
use tokio::sync::Notify;

use super::counts::{InboxCounts, Tally};
use super::error::InboxError;
use super::event::lane;
use super::facts::Verified;
use super::record::{Limits, Received, record};
use super::scheme::Scheme;
use crate::outbox::{Schedule, Store};
use crate::rt::{self, Clock, callback};
use crate::settings::{ConfigError, Errors, validate};
use crate::terms::inbox::InboxErrorKind;

/// Where the webhooks of one source come in. Clones are the same inbox.
///
/// It is a tower service to mount, and handles what it has recorded while it [runs](Self::run). The example is
/// in the [module](super).
#[derive(Clone)]
pub struct Inbox(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) source: String,
    pub(super) lane: String,
    scheme: Box<dyn Scheme>,
    pub(super) store: Arc<dyn Store>,
    pub(super) schedule: Schedule,
    pub(super) max_body: usize,
    pub(super) time_limit: Duration,
    max_attempts: u32,
    api_version: Option<String>,
    clock: Clock,
    pub(super) tally: Tally,
    /// An event was recorded here.
    pub(super) wake: Notify,
}

/// Settings of an [`Inbox`].
#[must_use]
pub struct InboxBuilder(Inner);

// === impl Inbox ===

impl Inbox {
    /// The inbox of a source, such as `stripe`: how it signs, and where its events are stored. The source is
    /// a part of every event's key: don't rename it while providers may send again.
    pub fn new(
        source: impl Into<String>,
        scheme: impl Scheme,
        store: Arc<dyn Store>,
    ) -> InboxBuilder {
        let source = source.into();
        InboxBuilder(Inner {
            lane: lane(&source),
            source,
            max_body: scheme.max_body(),
            scheme: Box::new(scheme),
            store,
            schedule: Schedule::default(),
            time_limit: TIME_LIMIT,
            max_attempts: MAX_ATTEMPTS,
            api_version: None,
            clock: Clock::system(),
            tally: Tally::default(),
            wake: Notify::new(),
        })
    }

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
        let received = self.verify_and_record(head, body).await;
        self.counted(received)
    }

    pub(super) async fn verify_and_record(
        &self,
        head: &Parts,
        body: Bytes,
    ) -> Result<Received, InboxError> {
        let inner = &*self.0;
        if head.method != Method::POST {
            return Err(InboxError::new(InboxErrorKind::Method));
        }
        if body.len() > inner.max_body {
            return Err(InboxError::new(InboxErrorKind::TooLarge));
        }
        let now = inner.clock.wall().into();
        let verified = callback::call("scheme", || inner.scheme.verify(head, &body, now));
        let facts = match verified.ok_or_else(|| InboxError::new(InboxErrorKind::Panicked))?? {
            Verified::Event(facts) => facts,
            Verified::Answer(answer) => return Ok(Received::Answer(answer)),
        };
        let limits = Limits { max_attempts: inner.max_attempts };
        let recording = record(&*inner.store, &inner.source, limits, &facts, body);
        let recorded = rt::until(Some(rt::after(rt::now(), inner.time_limit)), recording).await;
        let received = recorded
            .ok_or_else(|| InboxError::store(None))?
            .map_err(|error| InboxError::store(Some(error)))?;
        let is_new = matches!(received, Received::Recorded(_));
        if is_new && inner.api_version.is_some() && facts.api_version != inner.api_version {
            inner.tally.count(|counts| counts.other_version += 1);
            self.tell("an event of another api version", "other_version");
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
        match &received {
            Ok(Received::Recorded(_) | Received::Duplicate { replayed: true, .. }) => {
                self.0.wake.notify_one();
            }
            Ok(_) => {}
            Err(error) => self.tell("a webhook was not accepted", error.kind().name()),
        }
        received
    }

    /// Tells a person, who must not be told more than they can read.
    #[cfg(feature = "tracing")]
    pub(super) fn tell(&self, what: &'static str, why: &'static str) {
        let Some(times) = self.0.tally.tell(why) else { return };
        let source = self.source();
        // The subscriber is the host's, and may panic.
        let _ = callback::call("tracing", || {
            tracing::warn!(target: "outrigger", source, why, times, "{what}");
        });
    }

    #[cfg(not(feature = "tracing"))]
    pub(super) fn tell(&self, _: &'static str, why: &'static str) {
        let _ = self.0.tally.tell(why);
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("source", &self.source()).finish_non_exhaustive()
    }
}

// === impl InboxBuilder ===

impl InboxBuilder {
    /// The largest body, in bytes; the scheme's by default: 1 MiB, for Shopify 8 MiB, for GitHub 25 MiB. A
    /// request takes as much memory until it is verified.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.0.max_body = bytes;
        self
    }

    /// How long the body may take to arrive, and how long the store may take; 1.2 s each by default, so that
    /// Slack, which waits for 3 s, gets an answer.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.0.time_limit = limit;
        self
    }

    /// How often an event is tried before it is dead; 40 by default, which takes about a day and a half by
    /// the default [schedule](Self::schedule).
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts;
        self
    }

    /// When an event is tried again.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.0.schedule = schedule;
        self
    }

    /// The version of the provider's API that the handler was written for. Events of another one are recorded
    /// all the same; they are told, and counted as [`other_version`](InboxCounts::other_version).
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.0.api_version = Some(version.into());
        self
    }

    /// The clock that tells how old a request is.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.0.clock = clock;
        self
    }

    /// The inbox.
    ///
    /// # Errors
    ///
    /// Settings that can't work, each by its name.
    pub fn build(self) -> Result<Inbox, ConfigError> {
        let Inner { source, max_body, time_limit, max_attempts, .. } = &self.0;
        validate("inbox", |errors: &mut Errors<'_>| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if !(1..=40).contains(&source.len()) || !source.bytes().all(fits) {
                errors.add(
                    "source",
                    "it must be 1 to 40 letters, digits, dots, dashes or underscores",
                );
            }
            if *max_body == 0 {
                errors.add("max_body", "a limit of zero lets nothing through: give it some bytes");
            }
            if *max_attempts == 0 {
                errors.add("max_attempts", "it must be at least 1");
            }
            errors.refuse_zero("time_limit", Some(*time_limit));
        })?;
        Ok(Inbox(Arc::new(self.0)))
    }
}

impl fmt::Debug for InboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxBuilder").field("source", &self.0.source).finish_non_exhaustive()
    }
}

/// Twice this leaves a part of the 3 s that Slack waits.
const TIME_LIMIT: Duration = Duration::from_millis(1_200);
const MAX_ATTEMPTS: u32 = 40;
