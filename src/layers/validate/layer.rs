use std::fmt;
use std::sync::Arc;

use super::around::ValidatePattern;
use super::check::Check;
use super::config::{Mode, ValidateConfig};
use super::report::{Report, ValidateHandle};
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{AsIs, Layered, Slot, Wiring, pattern_layer};
use crate::redact::Redactor;
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, Errors, Ratio, validate};

/// Checks answers before they count as successes. See the [module](super).
///
/// Its counts and samples are shared as all layers' state is: with its clones, and with the integrations
/// that were built with it after a handle was taken.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ValidateLayer {
    pub(super) checks: Vec<Entry>,
    pub(super) config: ValidateConfig,
    pub(super) redactor: Option<Arc<dyn Redactor>>,
    pub(super) report: Arc<Report>,
    pub(super) emitter: Emitter,
    pub(super) classifier: SharedClassifier,
    pub(super) clock: Clock,
    pub(super) rng: Rng,
}

/// A check, and whether it acts.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) check: Arc<dyn Check>,
    pub(super) name: &'static str,
    pub(super) enforces: bool,
    /// The share of the answers that it looks at.
    pub(super) share: Ratio,
}

/// A service whose answers are checked, made by a [`ValidateLayer`]. The service that it wraps must be
/// `Clone`.
pub type Validate<S> = Layered<ValidatePattern, S>;

impl ValidateLayer {
    /// No checks: answers pass as they are.
    pub fn new() -> Self {
        Self {
            checks: Vec::new(),
            config: ValidateConfig::default(),
            redactor: None,
            report: Arc::default(),
            emitter: Emitter::new(),
            classifier: SharedClassifier::default(),
            clock: Clock::system(),
            rng: Rng::system(),
        }
    }

    /// Adds a check. Checks are asked in the order in which they were added, up to the first that rejects
    /// the answer.
    pub fn enforce(self, check: impl Check) -> Self {
        self.add(check, true, Ratio::ONE)
    }

    /// Adds a check that only tells what it finds, and changes nothing: for a new check, until its
    /// metrics show that it rejects what it should.
    pub fn report(self, check: impl Check) -> Self {
        self.add(check, false, Ratio::ONE)
    }

    /// Adds a check that only tells what it finds, and looks at this share of the answers: for a check
    /// that costs much.
    pub fn sample(self, share: Ratio, check: impl Check) -> Self {
        self.add(check, false, share)
    }

    /// Whether all checks may act, only tell, or are off.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// How many bytes of a body are held back for the checks at most; 64 KiB by default, and no more than
    /// 16 MiB, because each call in flight may hold as many. A larger body is unchecked, and so is one of more
    /// frames than one for each four of these bytes.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.config.body_cap = bytes;
        self
    }

    /// Whether an answer that can't be checked is rejected as
    /// [`Verdict::Invalid`](super::Verdict::Invalid). By default it passes, and is counted.
    pub fn must_check(mut self, must: bool) -> Self {
        self.config.must_check = must;
        self
    }

    /// Keeps samples of rejected answers in memory: the last 20 of each check, at most one a second, each
    /// with the first 2 KiB of its body as this redactor shows them. By default there are none. The
    /// [handle](Self::handle) reads them. Where no check reads a body, an answer waits for the first part of
    /// its body, at most a second, so that a sample has it.
    pub fn keep_samples(mut self, redactor: impl Redactor) -> Self {
        self.redactor = Some(Arc::new(redactor));
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// What statuses mean; see [`outcome`](crate::outcome).
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// The clock whose wall time samples have; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The chance by which samples are drawn; the system's by default.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// A handle that reads counts and samples.
    #[must_use]
    pub fn handle(&self) -> ValidateHandle {
        self.report.ownership.share();
        self.reader()
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("validate", |errors| self.check_into(errors))
    }

    /// A handle that doesn't share the state with integrations to come.
    pub(crate) fn reader(&self) -> ValidateHandle {
        ValidateHandle::new(Arc::clone(&self.report))
    }

    pub(crate) fn has_checks(&self) -> bool {
        !self.checks.is_empty()
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.has_checks() && self.config.mode != Mode::Off
    }

    fn add(mut self, check: impl Check, enforces: bool, share: Ratio) -> Self {
        let name = check.name();
        self.checks.push(Entry { check: Arc::new(check), name, enforces, share });
        self
    }
}

impl Slot for ValidateLayer {
    fn adopt(mut self, wiring: &Wiring) -> Self {
        self.emitter = wiring.emitter.clone();
        self.classifier = wiring.classifier.clone();
        if !self.report.ownership.adopt() {
            self.report = Arc::default();
        }
        self
    }

    fn inherit(mut self, running: &Self) -> Self {
        self.report = Arc::clone(&running.report);
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        if self.config.body_cap == 0 {
            errors.add("body_cap", "with 0 no body is checked: raise it, or set `mode` to off");
        }
        if self.config.body_cap > MOST_HELD {
            errors.add(
                "body_cap",
                "it is over 16 MiB, which each call in flight may hold: lower it, and check what is larger where it is read",
            );
        }
        if self.checks.len() > MOST_CHECKS {
            errors.add(
                "enforce",
                format_args!("there are over {MOST_CHECKS} checks: join some in one"),
            );
        }
        for (at, entry) in self.checks.iter().enumerate() {
            if self.checks[..at].iter().any(|other| other.name == entry.name) {
                let name = entry.name;
                errors.add(
                    "enforce",
                    format_args!("two checks have the name {name:?}, so that nobody can tell them apart: give one another by `named`"),
                );
            }
        }
    }
}

impl Default for ValidateLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ValidateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidateLayer")
            .field("checks", &self.checks)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pattern_layer!(ValidateLayer => ValidatePattern, AsIs, |layer| ValidatePattern::new(layer.clone()));

/// As many as bits in the set of those that are for an answer.
pub(super) const MOST_CHECKS: usize = 64;
/// Of one body: a hundred calls in flight would hold more than a gigabyte.
const MOST_HELD: usize = 16 << 20;
