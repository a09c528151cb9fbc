use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::destination::Destination;
use super::polling::Polling;
use super::schedule::Schedule;
use super::store::DeadHead;
use super::stored::StoredMessage;
#[cfg(feature = "inbox")]
use crate::event::Emitter;
use crate::integration::Integration;
use crate::settings::{Errors, ValidationError};

/// How the messages of one destination are delivered. An [`Integration`] converts into a lane of its name
/// with the defaults.
///
/// ```
/// use std::time::Duration;
/// use outrigger::Integration;
/// use outrigger::outbox::{Lane, UnknownOutcome};
///
/// # fn lane(mailer: Integration) {
/// let lane = Lane::new(&mailer)
///     .concurrency(4)
///     .call_limit(Duration::from_secs(20))
///     .unknown_outcome(UnknownOutcome::Resend);
/// # let _ = lane;
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a lane delivers nothing until an outbox has it"]
pub struct Lane {
    pub(super) name: String,
    pub(super) destination: Destination,
    pub(super) concurrency: usize,
    pub(super) schedule: Schedule,
    pub(super) unknown: Option<UnknownOutcome>,
    pub(super) dead_head: DeadHead,
    pub(super) call_limit: Duration,
    pub(super) lease: Duration,
    pub(super) polling: Option<Polling>,
    pub(super) batch: Option<Batch>,
    pub(super) tenant_limit: Option<usize>,
}

/// What to do with a message of which nobody knows whether an earlier attempt had its effect.
#[derive(Clone)]
#[non_exhaustive]
pub enum UnknownOutcome {
    /// Send it again with its key, as long as the provider knows the key; park it after that. Without a known
    /// lifetime of keys, always: choose it if a repetition does no harm.
    Resend,
    /// Park it, for a person to ask the provider.
    Park,
    /// Ask the provider by this function, before it is sent again. After the lane's
    /// [call limit](Lane::call_limit), it counts as one that can't tell.
    Probe(Probe),
}

/// A function that asks the provider whether it has done a message.
pub type Probe =
    Arc<dyn Fn(StoredMessage) -> Pin<Box<dyn Future<Output = Probed> + Send>> + Send + Sync>;

/// What a provider says about an earlier attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Probed {
    /// It was done: the message is delivered.
    Done,
    /// It was not done: the message is sent again.
    NotDone,
    /// It can't be told: the message is parked.
    Unknown,
}

impl Lane {
    /// A lane of the integration's name.
    pub fn new(integration: &Integration) -> Self {
        let destination = Destination::Integration(integration.clone());
        Self::of(integration.name().to_owned(), destination)
    }

    /// A lane whose messages are settled and not sent anywhere. The listener is told what happens to them.
    #[cfg(feature = "inbox")]
    pub(crate) fn without_calls(name: String, listener: Emitter) -> Self {
        Self::of(name, Destination::Nowhere(listener))
    }

    fn of(name: String, destination: Destination) -> Self {
        Self {
            name,
            destination,
            concurrency: 8,
            schedule: Schedule::default(),
            unknown: None,
            dead_head: DeadHead::default(),
            call_limit: Duration::from_secs(60),
            lease: Duration::from_secs(90),
            polling: None,
            batch: None,
            tenant_limit: None,
        }
    }

    /// Another name, so that an integration may have several lanes.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The most messages that are under way at a time; 8 by default. The integration's bulkhead bounds them,
    /// too.
    pub fn concurrency(mut self, messages: usize) -> Self {
        self.concurrency = messages;
        self
    }

    /// When failed messages are tried again.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// What to do after an attempt whose effect nobody knows. By default [`Resend`](UnknownOutcome::Resend)
    /// if the method is idempotent (RFC 9110, 9.2.2), the message has a
    /// [key of yours](super::Message::idempotency_key), or the integration's
    /// [profile](crate::idempotency::KeyProfile::honours_keys) says that the provider honours keys, else
    /// [`Park`](UnknownOutcome::Park).
    ///
    /// By default, a 5xx is an answer, and the message is sent again with its key: **a provider that ignores keys, and
    /// answers 500 after it did what was asked, does it twice.** With `Park` or [`Probe`](UnknownOutcome::Probe), a 5xx
    /// to a method that isn't idempotent leaves the outcome unknown too, but 501, 503 and 505.
    pub fn unknown_outcome(mut self, policy: UnknownOutcome) -> Self {
        self.unknown = Some(policy);
        self
    }

    /// What a dead message does to those of its order key that came after it.
    pub fn dead_head(mut self, dead_head: DeadHead) -> Self {
        self.dead_head = dead_head;
        self
    }

    /// The limit of one call, its waits in the integration's queues included; 60 s by default. The
    /// [lease](Self::lease) becomes half as long again.
    pub fn call_limit(mut self, limit: Duration) -> Self {
        (self.call_limit, self.lease) = (limit, lease_of(limit));
        self
    }

    /// How long a message is with a worker before others may have it; 90 s by default. It is extended while
    /// the call goes on, so this is how late a message of a lost worker is.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The provider answers 202 to jobs that it begins; ask for their results.
    pub fn polling(mut self, polling: Polling) -> Self {
        self.polling = Some(polling);
        self
    }

    /// Sends several messages in one request. [`concurrency`](Self::concurrency) then counts requests.
    pub fn batch(mut self, batch: Batch) -> Self {
        self.batch = Some(batch);
        self
    }

    /// The most messages of one [tenant](super::Message::tenant) that are under way at a time, on all machines that share the
    /// store; unlimited by default. Choose less than [`concurrency`](Self::concurrency), so that a tenant with a long backlog
    /// leaves places to others, whose messages are found however many of its own came due before them.
    ///
    /// Give all messages of such a lane a tenant. One without isn't limited, but waits while 500 of others came due before it,
    /// as does everybody in a lane without a limit. While 500 messages of tenants at their limit came due first, a claim goes through
    /// all tenants that have messages, some 20 ms for a thousand. In PostgreSQL, the claims of such a lane wait for each other, a
    /// worker that stops in the middle of one holds up the others for 5 s, and workers that don't know the limit don't keep it. A batch that is repeated is repeated whole.
    pub fn tenant_limit(mut self, messages: usize) -> Self {
        self.tenant_limit = Some(messages);
        self
    }

    pub(super) fn check_into(&self, found: &mut Vec<ValidationError>) {
        let mut errors = Errors::new(&self.name, found);
        if self.concurrency == 0 {
            errors.add("concurrency", "0 delivers nothing: allow at least 1");
        }
        if self.tenant_limit == Some(0) {
            errors.add("tenant_limit", "0 delivers no tenant's messages: allow at least 1");
        }
        if self.batch.as_ref().is_some_and(|batch| batch.most == 0) {
            errors.add("batch", "a batch of 0 messages sends nothing: allow at least 1");
        }
        if self.batch.is_some() && self.polling.is_some() {
            let why = "a job has one answer, and a batch one for each message: leave out `batch` or `polling`";
            errors.add("polling", why);
        }
        errors.refuse_zero("call_limit", Some(self.call_limit));
        let least = self.call_limit.saturating_add(MARGIN);
        if self.lease < least {
            errors.add("lease", format_args!(
                "{:?} may end before a call of {:?}: make it at least {least:?}, or lower call_limit",
                self.lease, self.call_limit,
            ));
        }
    }
}

impl From<&Integration> for Lane {
    fn from(integration: &Integration) -> Self {
        Self::new(integration)
    }
}

impl UnknownOutcome {
    /// Asks the provider by this function. If it panics, nobody knows.
    pub fn probe<F, W>(ask: F) -> Self
    where
        F: Fn(StoredMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Probed> + Send + 'static,
    {
        Self::Probe(Arc::new(move |message| Box::pin(ask(message))))
    }
}

impl fmt::Debug for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resend => "Resend",
            Self::Park => "Park",
            Self::Probe(_) => "Probe",
        })
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("name", &self.name)
            .field("concurrency", &self.concurrency)
            .field("unknown", &self.unknown)
            .field("call_limit", &self.call_limit)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// Half as long again as a call.
pub(super) fn lease_of(call_limit: Duration) -> Duration {
    call_limit.saturating_add(call_limit / 2)
}

/// What a settlement may take beside the call.
const MARGIN: Duration = Duration::from_millis(500);
