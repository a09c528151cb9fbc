use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::around::RetryPattern;
use super::config::{EmptyBudget, Rejections, RetryConfig};
use super::policy::{RetryPolicy, StandardPolicy};
use crate::backoff::Backoff;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::pattern_layer;
use crate::pattern::{Layered, Replaying, Slot, Wiring};
use crate::replay::budget::{BudgetTerms, RetryBudget};
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, Errors, Ratio, validate};

/// Tries again. See the [module](super).
///
/// Every service that is made from one layer shares its budget.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct RetryLayer {
    pub(super) config: RetryConfig,
    pub(super) budget: RetryBudget,
    /// Nobody else was given the budget.
    own_budget: bool,
    /// What settings from elsewhere make of the budget.
    terms: Terms,
    pub(super) policy: Arc<dyn RetryPolicy>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
    pub(super) clock: Clock,
}

/// What settings from elsewhere make of a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Terms {
    /// What it was made with.
    AsMade,
    /// Others, for all who share it.
    Of(BudgetTerms),
    /// This layer takes nothing out of it, and puts nothing in.
    Unlimited,
}

/// A service whose failed requests are tried again, made by a [`RetryLayer`]. The service that it
/// wraps must be `Clone`. That service gets requests with a
/// [`ReplayBody`](crate::body::ReplayBody).
pub type Retry<S> = Layered<RetryPattern, S, Replaying>;

impl RetryLayer {
    /// Retries with the [defaults](super#defaults): 3 attempts, and a budget of its own.
    pub fn new() -> Self {
        Self {
            config: RetryConfig::default(),
            budget: RetryBudget::default(),
            own_budget: true,
            terms: Terms::AsMade,
            policy: Arc::new(StandardPolicy::new()),
            classifier: SharedClassifier::default(),
            emitter: Emitter::new(),
            rng: Rng::system(),
            clock: Clock::system(),
        }
    }

    /// How many attempts, the first included; 3 by default, and 1 for no retries.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = Some(attempts);
        self
    }

    /// As many attempts as there is time and budget for: the deadline, or
    /// [`max_elapsed`](Self::max_elapsed), is the limit. For jobs, which shall last as long as an outage
    /// does; by file it is `max_attempts = "none"`.
    pub fn unlimited_attempts(mut self) -> Self {
        self.config.max_attempts = None;
        self
    }

    /// No attempt begins later than this after the call did; without a limit by default. It cuts
    /// nothing that is under way.
    pub fn max_elapsed(mut self, limit: Duration) -> Self {
        self.config.max_elapsed = Some(limit);
        self
    }

    /// How long to wait between attempts where the provider asks for no time; 100 ms × 2 ≤ 10 s by
    /// default.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// The longest `Retry-After` that is waited out, 5 min by default. Where a longer one is asked
    /// for, the answer is returned at once: nobody goes sooner than asked.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.config.retry_after_cap = Some(cap);
        self
    }

    /// Waits out every `Retry-After` that fits the deadline, and returns the answer where one doesn't.
    pub fn without_retry_after_cap(mut self) -> Self {
        self.config.retry_after_cap = None;
        self
    }

    /// How far upwards a `Retry-After` is spread, 50 % by default: ten seconds become ten to
    /// fifteen.
    pub fn retry_after_spread(mut self, spread: Ratio) -> Self {
        self.config.retry_after_spread = spread;
        self
    }

    /// How much of the calls may be retries. A budget that other layers have too is shared with them,
    /// whatever terms a file sets for it.
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        (self.budget, self.own_budget) = (budget, false);
        self
    }

    /// What becomes of a retry that the budget can't pay for; the call ends with its last result by
    /// default.
    pub fn when_budget_is_empty(mut self, then: EmptyBudget) -> Self {
        self.config.when_budget_is_empty = then;
        self
    }

    /// How much of a request's body is kept for another attempt, in bytes; 1 MiB by default. A
    /// larger body is sent once.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.config.body_cap = bytes;
        self
    }

    /// How much of a failed answer's body is read so that its connection can be used again, in
    /// bytes; 64 KiB by default.
    pub fn drain_cap(mut self, bytes: usize) -> Self {
        self.config.drain_cap = bytes;
        self
    }

    /// What becomes of a call that a layer further in refused; it fails by default.
    pub fn rejections(mut self, rejections: Rejections) -> Self {
        self.config.rejections = rejections;
        self
    }

    /// Which results another attempt could better; [`StandardPolicy`](super::StandardPolicy) by
    /// default.
    pub fn policy(mut self, policy: impl RetryPolicy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    /// What results mean.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// What draws the delays' jitter; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// What `Retry-After` dates are measured against where the answer has no `Date`.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("retry", |errors| {
            self.check_into(errors);
            self.check_within(None, errors);
        })
    }

    /// A preset's budget: each integration gets one of its own.
    pub(crate) fn preset_budget(mut self, ratio: Ratio, floor: u32) -> Self {
        (self.budget, self.own_budget) = (RetryBudget::new(ratio, floor), true);
        self
    }

    pub(crate) fn shared_budget(&self) -> RetryBudget {
        self.budget.clone()
    }

    pub(crate) fn with_config(mut self, config: RetryConfig) -> Self {
        self.config = config;
        self
    }

    /// These terms, or no limit, once it takes over.
    pub(crate) fn with_budget_terms(mut self, terms: Option<BudgetTerms>) -> Self {
        self.terms = terms.map_or(Terms::Unlimited, Terms::Of);
        self
    }

    pub(crate) fn config(&self) -> &RetryConfig {
        &self.config
    }

    /// What can't work in a call that has this long.
    pub(crate) fn check_within(&self, deadline: Option<Duration>, errors: &mut Errors<'_>) {
        let limit = [deadline, self.config.max_elapsed].into_iter().flatten().min();
        let most = self.terms_to_be().and_then(|terms| terms.payable(limit));
        let (Some(most), Some(attempts)) = (most, self.config.max_attempts) else { return };
        let payable = most.saturating_add(1);
        // A budget that never holds anything is told of as such.
        if most > 0 && u64::from(attempts) > payable {
            let within = limit.map_or(String::new(), |limit| format!(" within {limit:?}"));
            errors.add(
                "max_attempts",
                format_args!("{attempts} attempts are more than the budget can ever pay for: a call alone has at most {most} retries{within}: use at most {payable}, or raise the budget's burst or floor"),
            );
        }
    }

    /// What the budget is set to once this takes over.
    fn terms_to_be(&self) -> Option<BudgetTerms> {
        match self.terms {
            Terms::AsMade => self.budget.made(),
            Terms::Of(terms) => Some(terms),
            Terms::Unlimited => None,
        }
    }
}

impl Slot for RetryLayer {
    /// A budget that others were given goes on being shared.
    fn adopt(self, wiring: &Wiring) -> Self {
        let Wiring { emitter, classifier } = wiring.clone();
        let budget = if self.own_budget { self.budget.afresh() } else { self.budget };
        Self { budget, emitter, classifier, ..self }
    }

    /// These settings, in effect in place of those that run. Who names no terms leaves a shared
    /// budget as others set it, but takes back what it set itself.
    fn inherit(mut self, running: &Self) -> Self {
        self.budget = match (self.terms, self.budget.made()) {
            (Terms::Of(terms), Some(_)) => self.budget.reconfigured(terms),
            // Made without a limit: it has one since settings from elsewhere gave it one.
            (Terms::Of(terms), None) => running.budget.clone().reconfigured(terms),
            (_, Some(made)) if running.terms.are_others() => self.budget.reconfigured(made),
            _ => self.budget,
        };
        if self.terms == Terms::Unlimited {
            self.budget = RetryBudget::unlimited();
        }
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
        if let Some(terms) = self.terms_to_be() {
            terms.check_into(errors);
        }
    }
}

impl Terms {
    fn are_others(self) -> bool {
        matches!(self, Self::Of(_))
    }
}

impl Default for RetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RetryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryLayer")
            .field("config", &self.config)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

pattern_layer!(RetryLayer => RetryPattern, Replaying, |settings| RetryPattern::new(settings.clone()));
