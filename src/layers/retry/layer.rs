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
    /// The budget is not shared.
    has_own_budget: bool,
    /// What the settings of a file change in the budget.
    terms: BudgetOverride,
    pub(super) policy: Arc<dyn RetryPolicy>,
    pub(super) classifier: SharedClassifier,
    pub(super) emitter: Emitter,
    pub(super) rng: Rng,
    pub(super) clock: Clock,
}

/// What the settings of a file change in a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
enum BudgetOverride {
    /// The terms that it was made with.
    Unchanged,
    /// Other terms, for all that share it.
    Of(BudgetTerms),
    /// This layer has no limit, and doesn't use the budget.
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
            has_own_budget: true,
            terms: BudgetOverride::Unchanged,
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
    /// [`max_elapsed`](Self::max_elapsed), is the limit. For jobs, which should outlast an outage; in a
    /// file it is `max_attempts = "none"`.
    pub fn unlimited_attempts(mut self) -> Self {
        self.config.max_attempts = None;
        self
    }

    /// No attempt begins later than this after the call began; without a limit by default. It doesn't
    /// end an attempt in flight.
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

    /// The longest `Retry-After` to wait for, 5 min by default. With a longer one, the answer is
    /// returned at once: no attempt is sent earlier than asked.
    pub fn retry_after_cap(mut self, cap: Duration) -> Self {
        self.config.retry_after_cap = Some(cap);
        self
    }

    /// Waits for every `Retry-After` that ends before the deadline, and returns the answer otherwise.
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

    /// The share of calls that may be retries. A budget that other layers have too stays shared with
    /// them, whatever terms a file sets.
    pub fn budget(mut self, budget: RetryBudget) -> Self {
        (self.budget, self.has_own_budget) = (budget, false);
        self
    }

    /// What happens to a retry when the budget is empty; by default, the call ends with its last
    /// result.
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

    /// What happens to a call that a layer further in refused; it fails by default.
    pub fn rejections(mut self, rejections: Rejections) -> Self {
        self.config.rejections = rejections;
        self
    }

    /// Decides which results are worth another attempt; [`StandardPolicy`](super::StandardPolicy) by
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

    /// The budget of a preset, one for each integration.
    pub(crate) fn preset_budget(mut self, ratio: Ratio, floor: u32) -> Self {
        (self.budget, self.has_own_budget) = (RetryBudget::new(ratio, floor), true);
        self
    }

    pub(crate) fn shared_budget(&self) -> RetryBudget {
        self.budget.clone()
    }

    pub(crate) fn with_config(mut self, config: RetryConfig) -> Self {
        self.config = config;
        self
    }

    /// Other terms for the budget, or no limit, from [`Slot::inherit`] on.
    pub(crate) fn with_budget_terms(mut self, terms: Option<BudgetTerms>) -> Self {
        self.terms = terms.map_or(BudgetOverride::Unlimited, BudgetOverride::Of);
        self
    }

    pub(crate) fn config(&self) -> &RetryConfig {
        &self.config
    }

    /// Checks what can't work within a deadline.
    pub(crate) fn check_within(&self, deadline: Option<Duration>, errors: &mut Errors<'_>) {
        let limit = [deadline, self.config.max_elapsed].into_iter().flatten().min();
        let most = self.effective_terms().and_then(|terms| terms.payable(limit));
        let (Some(most), Some(attempts)) = (most, self.config.max_attempts) else { return };
        let payable = most.saturating_add(1);
        // A budget that can never allow a retry is another error.
        if most > 0 && u64::from(attempts) > payable {
            let within = limit.map_or(String::new(), |limit| format!(" within {limit:?}"));
            errors.add(
                "max_attempts",
                format_args!("{attempts} attempts are more than the budget can ever pay for: a call alone has at most {most} retries{within}: use at most {payable}, or raise the budget's burst or floor"),
            );
        }
    }

    /// The budget's terms from [`Slot::inherit`] on.
    fn effective_terms(&self) -> Option<BudgetTerms> {
        match self.terms {
            BudgetOverride::Unchanged => self.budget.made(),
            BudgetOverride::Of(terms) => Some(terms),
            BudgetOverride::Unlimited => None,
        }
    }
}

impl Slot for RetryLayer {
    /// A shared budget stays shared.
    fn adopt(self, wiring: &Wiring) -> Self {
        let Wiring { emitter, classifier } = wiring.clone();
        let budget = if self.has_own_budget { self.budget.afresh() } else { self.budget };
        Self { budget, emitter, classifier, ..self }
    }

    /// These settings. Without `[retry.budget]` a shared budget stays as it is, except that terms
    /// that this file set earlier are undone.
    fn inherit(mut self, running: &Self) -> Self {
        self.budget = match (self.terms, self.budget.made()) {
            (BudgetOverride::Of(terms), Some(_)) => self.budget.reconfigured(terms),
            // Made without a limit: the running one has a limit from a file.
            (BudgetOverride::Of(terms), None) => running.budget.clone().reconfigured(terms),
            (_, Some(made)) if running.terms.is_set() => self.budget.reconfigured(made),
            _ => self.budget,
        };
        if self.terms == BudgetOverride::Unlimited {
            self.budget = RetryBudget::unlimited();
        }
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        self.config.check_into(errors);
        if let Some(terms) = self.effective_terms() {
            terms.check_into(errors);
        }
    }
}

impl BudgetOverride {
    fn is_set(self) -> bool {
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
