use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::capacity::Capacity;
use super::counts::Tally;
use super::event::lane;
use super::receive::{Inbox, Inner};
use super::scheme::Scheme;
use crate::outbox::Outbox;
use crate::rt::Clock;
use crate::settings::{ConfigError, Errors, validate};

/// Settings of an [`Inbox`].
#[must_use = "an inbox is not built until `build`"]
pub struct InboxBuilder(Inner);

impl Inbox {
    /// The inbox of a source, such as `stripe`: how it signs, and the outbox in whose store its events are
    /// recorded. The source is a part of every event's key: don't rename it while the provider may send again.
    pub fn builder(
        source: impl Into<String>,
        scheme: impl Scheme,
        outbox: &Outbox,
    ) -> InboxBuilder {
        InboxBuilder(Inner {
            source: source.into(),
            max_body: scheme.max_body(),
            capacity: Capacity::new(MAX_UNDER_WAY, MAX_BYTES_UNDER_WAY),
            time_limit: scheme.time_limit(),
            scheme: Box::new(scheme),
            outbox: outbox.clone(),
            max_attempts: MAX_ATTEMPTS,
            api_version: None,
            clock: Clock::system(),
            tally: Tally::default(),
        })
    }
}

impl InboxBuilder {
    /// The largest body, in bytes; the scheme's by default: 1 MiB, for Shopify 8 MiB, for GitHub 25 MiB. A
    /// request takes as much memory until it is verified.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.0.max_body = bytes;
        self
    }

    /// The most requests under way at a time, from the head to the answer; 256 by default. One more is answered
    /// with 503 and `retry-after`, before anything of its body is read.
    pub fn max_under_way(mut self, requests: usize) -> Self {
        self.0.capacity.requests = requests;
        self
    }

    /// The most bytes of bodies in memory at a time, of all requests together; 64 MiB by default. It is counted
    /// as bytes arrive, whatever length was announced. A request for whose next bytes there is no place is
    /// answered with 503 and `retry-after`. Several bodies that haven't arrived whole have at most half of it, so that
    /// slow or large ones leave the other half to webhooks whose length is announced and that come at once.
    pub fn max_bytes_under_way(mut self, bytes: usize) -> Self {
        self.0.capacity.bytes = bytes;
        self
    }

    /// How long it may take from the request's head to the answer; the scheme's by default: 4 s, for Slack 2.5 s,
    /// for GitHub 9 s, each less than the provider waits. A body that takes longer is answered with 408, a store
    /// with 503.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.0.time_limit = limit;
        self
    }

    /// How often an event is tried before it is dead; 40 by default, which takes about a day and a half by
    /// the default [schedule](super::EventLane::schedule).
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts;
        self
    }

    /// The version of the provider's API that the handler was written for. Events of another one are recorded
    /// all the same; they are told, and counted as [`other_version`](super::InboxCounts::other_version).
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
    /// Settings that can't work, each by its name. One of them may be the outbox's
    /// [`retention`](crate::outbox::OutboxBuilder::retention): if events are forgotten while the provider
    /// still [sends them again](Scheme::repeats_for), they are recorded and handled twice.
    pub fn build(self) -> Result<Inbox, ConfigError> {
        let Inner { source, outbox, max_body, time_limit, max_attempts, capacity, .. } = &self.0;
        validate("inbox", |errors: &mut Errors<'_>| {
            if !is_source(source) {
                errors
                    .add("source", "it must be 1 to 40 letters, digits, dots, dashes, underscores");
            } else if !outbox.has_lane(&lane(source)) {
                errors.add("source", "the outbox has lanes, but none for it: give it `on_event`");
            }
            if *max_body == 0 {
                errors.add("max_body", "a limit of zero lets nothing through: give it some bytes");
            }
            if capacity.requests == 0 {
                errors.add("max_under_way", "0 lets nothing through: allow at least 1");
            }
            if capacity.bytes < *max_body {
                errors.add("max_bytes_under_way", format_args!(
                    "{} is less than one body may have: make it at least {max_body}, or lower max_body",
                    capacity.bytes,
                ));
            }
            refuse_forgetting(outbox.retention(), self.0.scheme.repeats_for(), errors);
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

/// A repetition of an event whose row is gone is a new event.
fn refuse_forgetting(kept: Duration, repeats: Duration, errors: &mut Errors<'_>) {
    if kept < repeats {
        let [kept, repeats] = [kept, repeats].map(humantime::format_duration);
        errors.add("retention", format_args!(
            "the outbox keeps an event for {kept} after it was handled, but the provider may send it again for \
             {repeats}, and it would be handled twice: set the outbox's retention to {repeats} or more",
        ));
    }
}

fn is_source(source: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    (1..=40).contains(&source.len()) && source.bytes().all(fits)
}

const MAX_ATTEMPTS: u32 = 40;
/// More than any provider sends at once: each is recorded in milliseconds, and hundreds share a transaction.
const MAX_UNDER_WAY: usize = 256;
/// A share of a small machine's memory, and two of the largest bodies of GitHub's beside many small ones.
const MAX_BYTES_UNDER_WAY: usize = 64 * 1024 * 1024;
