//! One record of every attempt, for support and for auditors.
//!
//! ```no_run
//! use outrigger::Integration;
//! use outrigger::redact::StandardRedactor;
//! use outrigger::telemetry::audit::{Audit, JsonLinesFile};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = JsonLinesFile::create("/var/log/shop/stripe.jsonl")?.daily().keep(30);
//! let audit = Audit::to(file)
//!     .failures(4 * 1024) // heads and bodies of failed attempts, redacted
//!     .redactor(StandardRedactor::new().show_field("message"))
//!     .start()?;
//! let stripe = Integration::user_flow("stripe").subscriber(audit.clone()).build()?;
//! # let _ = (stripe, audit);
//! # Ok(()) }
//! ```
//!
//! # What is recorded
//!
//! [`AuditRecord`]: when, of whom, by which ids and keys, how it ended, what took how long, how much
//! was sent and received. A call for which nothing went out (refused here, answered by a fallback,
//! given up in a queue) is a record with the attempt 0.
//!
//! Correlation ids, idempotency keys and business keys are recorded as they are: support asks by them,
//! a provider shows them in its own logs, and they open nothing. An e-mail address, a token or a
//! card's number in one is hidden nevertheless ([`Redactor::id`](crate::redact::Redactor::id)).
//!
//! URLs, headers and bodies are kept [if asked for](AuditBuilder::failures), of failed attempts only
//! (no answer, 4xx, 5xx, an answer that failed a check), capped, and shown as a
//! [`Redactor`](crate::redact::Redactor) says. Other attempts are recorded by their templates alone.
//!
//! # Harm
//!
//! None to calls. Records wait in a bounded queue for a thread of its own, which redacts and writes
//! them. What doesn't fit into the queue is [counted](Audit::dropped); so is what can't be written
//! after a few tries, and what a sink panics at. Of what was sent and answered, 64 MiB may wait:
//! further records are kept without it, and [counted](Audit::forgotten) too. A sink that blocks
//! holds up the thread, and nobody else.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `failures` | off | URLs, headers and bodies hold what nobody wants in a log |
//! | `redactor` | [`StandardRedactor`](crate::redact::StandardRedactor) | |
//! | `queue` | 10,000 | some seconds of a busy integration, while a disk is slow |
//!
//! # When not to use it
//!
//! For figures: those are metrics. For what must never be lost: a queue is memory.

#[expect(clippy::module_inception, reason = "named as its main type")]
mod audit;
mod file;
mod json;
mod pending;
mod queue;
mod record;
mod rotation;
mod rotation_lock;
mod sink;
#[cfg(feature = "tracing")]
mod tracing_sink;

pub use audit::{Audit, AuditBuilder};
pub use file::JsonLinesFile;
pub use record::{AuditBody, AuditExchange, AuditRecord};
pub use sink::AuditSink;
#[cfg(feature = "tracing")]
pub use tracing_sink::TracingSink;
