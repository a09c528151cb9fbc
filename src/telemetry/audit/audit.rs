use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::pending::PendingRecord;
use super::queue::{Queue, Writer};
use super::sink::AuditSink;
use crate::event::{Event, Interest, Origin, Subscriber};
use crate::redact::{Redactor, StandardRedactor};
use crate::rt::{Clock, Lock};

/// Records every attempt. See the [module](super).
///
/// Clones record to the same sink, for any number of integrations. Dropping the last one writes the
/// waiting records, for at most five seconds.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    queue: Arc<Queue>,
    failures: Option<usize>,
    clock: Clock,
}

/// The settings of an [`Audit`].
#[must_use = "nothing is recorded until it is started"]
pub struct AuditBuilder {
    sink: Box<dyn AuditSink>,
    redactor: Box<dyn Redactor>,
    failures: Option<usize>,
    queue: usize,
    clock: Clock,
}

impl Audit {
    /// Records to this sink, once it is started.
    pub fn to(sink: impl AuditSink) -> AuditBuilder {
        AuditBuilder {
            sink: Box::new(sink),
            redactor: Box::new(StandardRedactor::new()),
            failures: None,
            queue: QUEUE,
            clock: Clock::system(),
        }
    }

    /// Waits until all records so far are written, at most `limit`. Returns whether they are.
    ///
    /// It blocks: call it at the end of the service, not in a request handler.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        self.0.queue.flush(limit)
    }

    /// How many records were lost, because the queue was full or the sink couldn't write them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.queue.state.locked().dropped
    }

    /// How many records lost their URL, headers and bodies, because too much was waiting.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.0.queue.state.locked().forgotten
    }

    /// Why the sink can't write at the moment.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.queue.state.locked().last_error.clone()
    }
}

impl Subscriber for Audit {
    fn identity(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.0).addr())
    }

    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        if let Event::AttemptFinished { .. } | Event::CallFinished { attempts: 0, .. } = event
            && let Some(pending) =
                PendingRecord::of(event, origin, self.0.clock.wall(), self.0.failures)
        {
            self.0.queue.push(pending);
        }
    }

    fn interest(&self) -> Interest {
        self.0.failures.map_or_else(Interest::events, Interest::exchanges)
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close(CLOSE_TIMEOUT);
    }
}

// === impl AuditBuilder ===

impl AuditBuilder {
    /// Also records URLs, headers and bodies of failed attempts, with at most `body_cap` bytes of a
    /// body.
    pub fn failures(mut self, body_cap: usize) -> Self {
        self.failures = Some(body_cap);
        self
    }

    /// Sets what is shown of URLs, headers, bodies and ids; a
    /// [`StandardRedactor`](crate::redact::StandardRedactor) by default, which shows no values that
    /// nobody asked for. If it panics, the record has none of them.
    pub fn redactor(mut self, redactor: impl Redactor) -> Self {
        self.redactor = Box::new(redactor);
        self
    }

    /// How many records may wait; further ones are dropped and [counted](Audit::dropped). 10,000 by
    /// default: about ten megabytes, and some seconds of a busy integration.
    pub fn queue(mut self, most: usize) -> Self {
        self.queue = most;
        self
    }

    /// The clock for the records' dates; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(self) -> io::Result<Audit> {
        let queue = Arc::new(Queue::new(self.queue));
        Writer::new(Arc::clone(&queue), self.sink, self.redactor).start()?;
        Ok(Audit(Arc::new(Inner { queue, failures: self.failures, clock: self.clock })))
    }
}

impl fmt::Debug for AuditBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditBuilder")
            .field("failures", &self.failures)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

/// About ten megabytes of records without bodies.
const QUEUE: usize = 10_000;
/// How long the service's end may be delayed by its last records.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
