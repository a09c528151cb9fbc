//! One record of every attempt, for support and for auditors.
//!
//! ```no_run
//! use outrigger::redact::StandardRedactor;
//! use outrigger::telemetry::audit::{Audit, JsonLinesFile};
//! use outrigger::{Integration, control::Registry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = JsonLinesFile::create("/var/log/shop/stripe.jsonl")?.daily().keep(30);
//! let audit = Audit::to(file)
//!     .failures(4 * 1024) // heads and bodies of failed attempts, redacted
//!     .redactor(StandardRedactor::new().show_field("message"))
//!     .start()?;
//! let registry = Registry::new().subscriber(audit.clone());
//! let stripe = Integration::user_flow("stripe").register(&registry).build()?;
//! # let _ = (stripe, audit);
//! # Ok(()) }
//! ```
//!
//! # What is recorded
//!
//! [`AuditRecord`]: time, integration, ids and keys, result, durations, bytes sent and received. A
//! call that sent nothing (refused here, answered by a fallback, given up in a queue) is a record
//! with the attempt 0.
//!
//! Correlation ids, idempotency keys and business keys are recorded unchanged: support staff search
//! by them, providers show them in their own logs, and they give no access. Still, an e-mail
//! address, a token or a card number in one is hidden
//! ([`Redactor::id`](crate::redact::Redactor::id)).
//!
//! URLs, headers and bodies are recorded only [if you ask for them](AuditBuilder::failures), and
//! only of failed attempts (no answer, 4xx, 5xx, an answer that failed a check). They are cut at a
//! limit and pass through a [`Redactor`](crate::redact::Redactor). Other attempts have only their
//! path's template.
//!
//! # Harm
//!
//! Calls are never delayed. Records wait in a bounded queue for a separate thread, which redacts
//! and writes them. A record that doesn't fit into the queue, that can't be written after a few
//! tries, or at which the sink panics, is dropped and [counted](Audit::dropped). At most 64 MiB of
//! URLs, headers and bodies wait; further records lose theirs, and are [counted](Audit::forgotten).
//! A sink that blocks delays only this thread.
//!
//! # Defaults
//!
//! | setting | default | why |
//! |---|---|---|
//! | `failures` | off | URLs, headers and bodies may hold secrets and personal data |
//! | `redactor` | [`StandardRedactor`](crate::redact::StandardRedactor) | |
//! | `queue` | 10,000 | some seconds of a busy integration, while a disk is slow |
//!
//! # When not to use it
//!
//! For statistics: use metrics. For records that must never be lost: the queue is in memory.

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
