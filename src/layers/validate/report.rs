//! What checks rejected: counts, the last one, and samples.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, Method};

use super::prefix::Prefix;
use crate::context::{CorrelationId, PathTemplate};
use crate::control::{LastRejection, ValidationHealth};
use crate::outcome::FailedCheck;
use crate::pattern::ownership::Ownership;
use crate::redact::{Kept, Redactor};
use crate::rt::{self, Clock, Lock};

/// An answer that a check rejected. Its body, if the redactor shows any of it, is redacted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sample {
    /// When it was rejected.
    pub at: SystemTime,
    /// Which check rejected it, and why.
    pub failed: FailedCheck,
    /// The request's method.
    pub method: Method,
    /// The request's path template, if it had one.
    pub template: Option<PathTemplate>,
    /// The call's correlation id.
    pub correlation_id: Option<CorrelationId>,
    /// The first 2 KiB of the body, as the redactor shows them.
    pub body: Option<String>,
}

/// What is kept of rejected answers. The lock is held for a few instructions.
#[derive(Default)]
pub(super) struct Report {
    rejected: AtomicU64,
    unchecked: AtomicU64,
    duplicates: AtomicU64,
    kept: Mutex<Rejections>,
    pub(super) ownership: Ownership,
}

#[derive(Default)]
struct Rejections {
    last: Option<LastRejection>,
    of_checks: Vec<OfCheck>,
}

/// The samples of one check, the oldest first.
struct OfCheck {
    check: &'static str,
    taken: Instant,
    samples: VecDeque<Sample>,
}

/// An answer that was rejected, as the call's code knows it.
pub(super) struct Rejected<'a> {
    pub(super) failed: &'a FailedCheck,
    pub(super) method: &'a Method,
    pub(super) template: Option<&'a PathTemplate>,
    pub(super) correlation_id: Option<&'a CorrelationId>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Prefix<'a>,
}

impl Report {
    pub(super) fn unchecked(&self) {
        self.unchecked.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer of JSON had a member twice.
    #[cfg(feature = "json")]
    pub(super) fn duplicate(&self) {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a rejection, and keeps a sample of it if there is a redactor and none was taken within the
    /// last second.
    pub(super) fn rejected(
        &self,
        rejected: &Rejected<'_>,
        redactor: Option<&dyn Redactor>,
        clock: &Clock,
    ) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        let failed = rejected.failed;
        let at = clock.wall();
        let last = LastRejection {
            check: failed.check,
            verdict: failed.verdict,
            status: failed.status.as_u16(),
            pointer: failed.pointer().map(str::to_owned),
            at,
        };
        let is_due = {
            let mut kept = self.kept.locked();
            kept.last = Some(last);
            redactor.is_some() && kept.is_due(failed.check, rt::now())
        };
        // A user's redactor runs without the lock.
        if let Some(redactor) = redactor.filter(|_| is_due) {
            let sample = rejected.sample(at, redactor);
            self.kept.locked().keep(sample);
        }
    }

    fn samples(&self) -> Vec<Sample> {
        let kept = self.kept.locked();
        kept.of_checks.iter().flat_map(|of| of.samples.iter().cloned()).collect()
    }

    fn health(&self) -> ValidationHealth {
        ValidationHealth {
            rejected: self.rejected.load(Ordering::Relaxed),
            unchecked: self.unchecked.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            last_rejection: self.kept.locked().last.clone(),
        }
    }
}

impl Rejections {
    /// Whether another sample of this check may be taken. If so, the next may a second later.
    fn is_due(&mut self, check: &'static str, now: Instant) -> bool {
        match self.of_checks.iter_mut().find(|of| of.check == check) {
            None => {
                self.of_checks.push(OfCheck { check, taken: now, samples: VecDeque::new() });
                true
            }
            Some(of) if rt::after(of.taken, SAMPLE_INTERVAL) <= now => {
                of.taken = now;
                true
            }
            Some(_) => false,
        }
    }

    fn keep(&mut self, sample: Sample) {
        let of = self.of_checks.iter_mut().find(|of| of.check == sample.failed.check);
        let Some(of) = of else { return };
        if of.samples.len() == MOST_SAMPLES {
            of.samples.pop_front();
        }
        of.samples.push_back(sample);
    }
}

impl Rejected<'_> {
    fn sample(&self, at: SystemTime, redactor: &dyn Redactor) -> Sample {
        let bytes = self.body.bytes();
        let is_whole = self.body.whole().is_ok() && bytes.len() <= SAMPLE_BYTES;
        let kept = match is_whole {
            true => Kept::whole(bytes),
            false => Kept::cut(&bytes[..bytes.len().min(SAMPLE_BYTES)], bytes.len() as u64),
        };
        let show = || redactor.body(self.headers, &kept);
        let body = if bytes.is_empty() { None } else { rt::callback::call("redactor", show) };
        Sample {
            at,
            failed: self.failed.clone(),
            method: self.method.clone(),
            template: self.template.cloned(),
            correlation_id: self.correlation_id.cloned(),
            body: body.flatten(),
        }
    }
}

/// Reads what an integration's checks rejected. Clones are of the same checks.
#[derive(Clone, Debug)]
pub struct ValidateHandle(Arc<Report>);

impl ValidateHandle {
    pub(super) fn new(report: Arc<Report>) -> Self {
        Self(report)
    }

    /// How many answers were rejected by checks, those in report-only mode included.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.0.rejected.load(Ordering::Relaxed)
    }

    /// How many times a check couldn't look at an answer.
    #[must_use]
    pub fn unchecked(&self) -> u64 {
        self.0.unchecked.load(Ordering::Relaxed)
    }

    /// How many answers had an object with two members of one name, of those whose JSON a check read. The
    /// last of the members counts here; another reader may take the first.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.0.duplicates.load(Ordering::Relaxed)
    }

    /// The last rejection.
    #[must_use]
    pub fn last_rejection(&self) -> Option<LastRejection> {
        self.0.kept.locked().last.clone()
    }

    /// The samples of rejected answers, at most 20 a check, the oldest first; none unless the layer
    /// [keeps them](super::ValidateLayer::keep_samples).
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.0.samples()
    }

    pub(crate) fn health(&self) -> ValidationHealth {
        self.0.health()
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("rejected", &self.rejected)
            .field("unchecked", &self.unchecked)
            .field("duplicates", &self.duplicates)
            .finish_non_exhaustive()
    }
}

/// Samples show what goes wrong, not how often.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
const MOST_SAMPLES: usize = 20;
/// Enough to see which page it is.
const SAMPLE_BYTES: usize = 2048;
