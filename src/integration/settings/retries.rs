//! Retrying and its budget, second requests, the circuit breaker.

use std::time::Duration;

use crate::backoff::{Backoff, Jitter, Steps};
use crate::circuit_breaker::{
    BreakerConfig, CircuitBreakerLayer, Consecutive, Mode, SlowRule, Throttled, WhenOpen,
    WindowSize,
};
use crate::hedge::HedgeLayer;
use crate::replay::budget::{BudgetTerms, CallTerms, UnderWayTerms};
use crate::retry::{EmptyBudget, Rejections, RetryLayer};
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{lay, section};
use crate::settings::values::LARGEST;

section! {
    /// `[retry]`
    Retry {
        max_attempts: Option<u32>,
        max_elapsed: Option<Duration>,
        backoff: Delays,
        retry_after_cap: Option<Duration>,
        retry_after_spread: Ratio,
        budget: Option<Budget>,
        body_cap: usize,
        drain_cap: usize,
        rejections: Rejections,
        when_budget_is_empty: EmptyBudget,
    }
}

section! {
    /// `[retry.backoff]`: `base` and `factor`, or `base` and `step`, or `fixed`, or `schedule`.
    Delays {
        base: Duration,
        factor: f64,
        step: Duration,
        fixed: Duration,
        schedule: Vec<Duration>,
        cap: Duration,
        jitter: Jitter,
    }
}

section! {
    /// `[retry.budget]`: `ratio` and those after it, or `under_way` and `least`.
    Budget {
        ratio: Ratio,
        floor: u32,
        floor_period: Duration,
        burst: u32,
        under_way: Ratio,
        least: u32,
    }
}

section! {
    /// `[hedge]`: `quantile` or `after`.
    Hedge { quantile: Option<Ratio>, after: Option<Duration>, at_least: Duration }
}

section! {
    /// `[circuit_breaker]`
    Breaker {
        enabled: bool,
        window: Duration,
        window_calls: u32,
        failure_rate: Option<Ratio>,
        minimum: u32,
        failures: Option<u32>,
        slow_over: Option<Duration>,
        slow_rate: Ratio,
        consecutive: Option<u32>,
        consecutive_below_minimum: Option<u32>,
        no_success_for: Duration,
        when_open: WhenOpen,
        open_for: Duration,
        open_cap: Duration,
        open_growth: f64,
        open_times: Vec<Duration>,
        open_jitter: Ratio,
        retry_after_cap: Duration,
        probes: u32,
        probe_successes: u32,
        probe_limit: Duration,
        abandoned_after: Duration,
        throttled: Throttled,
        mode: Mode,
    }
}

impl Retry {
    pub(super) fn of(layer: &RetryLayer) -> Self {
        let config = layer.config();
        Self {
            max_attempts: Some(config.max_attempts),
            max_elapsed: Some(config.max_elapsed),
            backoff: Some(Delays::of(&config.backoff)),
            retry_after_cap: Some(config.retry_after_cap),
            retry_after_spread: Some(config.retry_after_spread),
            budget: Some(layer.shared_budget().terms().map(Budget::of)),
            body_cap: Some(config.body_cap.min(LARGEST)),
            drain_cap: Some(config.drain_cap.min(LARGEST)),
            rejections: Some(config.rejections),
            when_budget_is_empty: Some(config.when_budget_is_empty),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut RetryLayer, reader: &mut Reader<'_>) {
        let mut config = layer.config().clone();
        lay(&mut config.max_attempts, &self.max_attempts);
        lay(&mut config.max_elapsed, &self.max_elapsed);
        lay(&mut config.retry_after_cap, &self.retry_after_cap);
        lay(&mut config.retry_after_spread, &self.retry_after_spread);
        lay(&mut config.body_cap, &self.body_cap);
        lay(&mut config.drain_cap, &self.drain_cap);
        lay(&mut config.rejections, &self.rejections);
        lay(&mut config.when_budget_is_empty, &self.when_budget_is_empty);
        if let Some(delays) = &self.backoff {
            reader.under("backoff", |reader| delays.lay_over(&mut config.backoff, reader));
        }
        *layer = layer.clone().with_config(config);
        if let Some(budget) = &self.budget {
            let known = layer.shared_budget().made();
            let terms = budget
                .as_ref()
                .map(|budget| reader.under("budget", |reader| budget.lay_over(known, reader)));
            *layer = layer.clone().with_budget_terms(terms);
        }
    }
}

impl Delays {
    fn of(backoff: &Backoff) -> Self {
        let mut own = Self { cap: backoff.cap, jitter: Some(backoff.jitter), ..Self::default() };
        match &backoff.steps {
            Steps::Exponential { base, factor } => {
                (own.base, own.factor) = (Some(*base), Some(*factor));
            }
            Steps::Linear { base, step } => (own.base, own.step) = (Some(*base), Some(*step)),
            Steps::Fixed(delay) => own.fixed = Some(*delay),
            Steps::Schedule(delays) => own.schedule = Some(delays.clone()),
        }
        own
    }

    fn lay_over(&self, backoff: &mut Backoff, reader: &mut Reader<'_>) {
        let kinds = [self.base.is_some(), self.fixed.is_some(), self.schedule.is_some()];
        if kinds.into_iter().filter(|named| *named).count() > 1 {
            reader.wrong("`base`, `fixed` and `schedule` are three ways to wait: use one of them");
            return;
        }
        let jitter = self.jitter.unwrap_or(backoff.jitter);
        match (self.base, self.fixed, &self.schedule) {
            (_, Some(delay), _) => *backoff = Backoff::fixed(delay),
            (_, _, Some(delays)) => *backoff = Backoff::schedule(delays.iter().copied()),
            (Some(base), ..) => match &mut backoff.steps {
                Steps::Exponential { base: known, .. } | Steps::Linear { base: known, .. } => {
                    *known = base;
                }
                _ => *backoff = Backoff::exponential(base, backoff.longest().max(base)),
            },
            _ => {}
        }
        self.lay_growth(backoff, reader);
        if self.cap.is_some() {
            backoff.cap = self.cap;
        }
        // Other steps are spread as those were that are known.
        backoff.jitter = jitter;
    }

    /// How delays grow from their base: by a factor or by a step.
    fn lay_growth(&self, backoff: &mut Backoff, reader: &mut Reader<'_>) {
        let base = match backoff.steps {
            Steps::Exponential { base, .. } | Steps::Linear { base, .. } => Some(base),
            Steps::Fixed(_) | Steps::Schedule(_) => None,
        };
        match (self.factor, self.step, base) {
            (None, None, _) => {}
            (Some(_), Some(_), _) => {
                reader.wrong("`factor` and `step` are two ways to grow: use one of them");
            }
            (Some(factor), None, Some(base)) => backoff.steps = Steps::Exponential { base, factor },
            (None, Some(step), Some(base)) => backoff.steps = Steps::Linear { base, step },
            (_, step, None) => {
                reader.under(if step.is_some() { "step" } else { "factor" }, |reader| {
                    reader.wrong("only delays that grow from a `base` have one");
                });
            }
        }
    }
}

impl Budget {
    fn of(terms: BudgetTerms) -> Self {
        match terms {
            BudgetTerms::Calls(terms) => Self {
                ratio: Some(terms.ratio),
                floor: Some(terms.floor),
                floor_period: Some(terms.floor_period),
                burst: Some(terms.burst),
                ..Self::default()
            },
            BudgetTerms::UnderWay(terms) => {
                Self { under_way: Some(terms.share), least: Some(terms.least), ..Self::default() }
            }
        }
    }

    fn lay_over(&self, known: Option<BudgetTerms>, reader: &mut Reader<'_>) -> BudgetTerms {
        let known = known.unwrap_or(BudgetTerms::Calls(CallTerms::default()));
        let Self { ratio, floor, floor_period, burst, under_way, least } = self;
        let by_calls =
            ratio.is_some() || floor.is_some() || floor_period.is_some() || burst.is_some();
        let by_under_way = under_way.is_some() || least.is_some();
        match (known, by_calls, by_under_way) {
            (known, true, true) => {
                reader.wrong("`under_way` and `least` are one way to ration, `ratio`, `floor`, `floor_period` and `burst` are another: use one of them");
                known
            }
            (known, false, false) => known,
            (known, true, false) => {
                let mut terms = match known {
                    BudgetTerms::Calls(terms) => terms,
                    BudgetTerms::UnderWay(_) => CallTerms::default(),
                };
                lay(&mut terms.ratio, ratio);
                lay(&mut terms.floor, floor);
                lay(&mut terms.floor_period, floor_period);
                lay(&mut terms.burst, burst);
                BudgetTerms::Calls(terms)
            }
            (known, false, true) => {
                let mut terms = match known {
                    BudgetTerms::UnderWay(terms) => terms,
                    BudgetTerms::Calls(_) => UnderWayTerms::default(),
                };
                lay(&mut terms.share, under_way);
                lay(&mut terms.least, least);
                BudgetTerms::UnderWay(terms)
            }
        }
    }
}

impl Hedge {
    pub(super) fn of(layer: &HedgeLayer) -> Self {
        Self {
            quantile: Some(layer.quantile_set()),
            after: Some(layer.fixed()),
            at_least: Some(layer.least()),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut HedgeLayer, reader: &mut Reader<'_>) {
        let (quantile, after) = (self.quantile.flatten(), self.after.flatten());
        if quantile.is_some() && after.is_some() {
            reader.wrong("`quantile` and `after` are two ways to say when: use one of them");
            return;
        }
        let named = self.quantile.is_some() || self.after.is_some();
        if named {
            let keeps = |set: Option<_>, known| if set.is_some() { set.flatten() } else { known };
            let after = match (quantile, self.after) {
                (Some(_), _) => None,
                (None, set) => set.unwrap_or_else(|| layer.fixed()),
            };
            let quantile = match after {
                Some(_) => None,
                None => keeps(self.quantile, layer.quantile_set()),
            };
            *layer = layer.clone().set_to(after, quantile);
        }
        if let Some(least) = self.at_least {
            *layer = layer.clone().at_least(least);
        }
    }
}

impl Breaker {
    pub(super) fn of(layer: &CircuitBreakerLayer) -> Self {
        let Some(config) = layer.config() else {
            return Self { enabled: Some(false), ..Self::default() };
        };
        let (window, window_calls) = match config.window {
            WindowSize::Time(length) => (Some(length), None),
            WindowSize::Calls(calls) => (None, Some(calls)),
        };
        let (always, below) = match config.consecutive {
            Some(Consecutive::Always(row)) => (Some(row), None),
            Some(Consecutive::BelowMinimum(row)) => (None, Some(row)),
            None => (None, None),
        };
        Self {
            enabled: Some(true),
            window,
            window_calls,
            failure_rate: Some(config.failure_rate),
            minimum: Some(config.minimum),
            failures: Some(config.failures),
            slow_over: Some(config.slow.map(|slow| slow.over)),
            slow_rate: config.slow.map(|slow| slow.rate),
            consecutive: Some(always),
            consecutive_below_minimum: Some(below),
            no_success_for: Some(config.no_success_for),
            when_open: Some(config.when_open),
            open_for: Some(config.open_for),
            open_cap: Some(config.open_cap),
            open_growth: Some(config.open_growth),
            open_times: Some(config.open_times.clone()),
            open_jitter: Some(config.open_jitter),
            retry_after_cap: Some(config.retry_after_cap),
            probes: Some(config.probes),
            probe_successes: Some(config.probe_successes),
            probe_limit: Some(config.probe_limit),
            abandoned_after: Some(config.abandoned_after),
            throttled: Some(config.throttled),
            mode: Some(config.mode),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut CircuitBreakerLayer, reader: &mut Reader<'_>) {
        let is_empty = *self == Self::default();
        let config = match (self.enabled, layer.config()) {
            (Some(false), _) => None,
            (None, None) if is_empty => None,
            // Any setting switches it on, as it does in code.
            (_, config) => Some(config.cloned().unwrap_or_default()),
        };
        let config = config.map(|mut config| {
            self.lay_rules(&mut config, reader);
            self.lay_recovery(&mut config);
            config
        });
        if config.as_ref() != layer.config() {
            *layer = layer.clone().with_config(config);
        }
    }

    fn lay_rules(&self, config: &mut BreakerConfig, reader: &mut Reader<'_>) {
        match (self.window, self.window_calls) {
            (Some(_), Some(_)) => {
                reader.wrong("`window` and `window_calls` are two windows: use one of them");
            }
            (Some(length), None) => config.window = WindowSize::Time(length),
            (None, Some(calls)) => config.window = WindowSize::Calls(calls),
            (None, None) => {}
        }
        lay(&mut config.failure_rate, &self.failure_rate);
        lay(&mut config.minimum, &self.minimum);
        lay(&mut config.failures, &self.failures);
        lay(&mut config.no_success_for, &self.no_success_for);
        self.lay_slowness(config, reader);
        match (self.consecutive.flatten(), self.consecutive_below_minimum.flatten()) {
            (Some(_), Some(_)) => reader.wrong(
                "`consecutive` and `consecutive_below_minimum` are two rules: use one of them",
            ),
            (Some(row), None) => config.consecutive = Some(Consecutive::Always(row)),
            (None, Some(row)) => config.consecutive = Some(Consecutive::BelowMinimum(row)),
            (None, None) => match config.consecutive {
                Some(Consecutive::Always(_)) if self.consecutive.is_some() => {
                    config.consecutive = None;
                }
                Some(Consecutive::BelowMinimum(_)) if self.consecutive_below_minimum.is_some() => {
                    config.consecutive = None;
                }
                _ => {}
            },
        }
    }

    fn lay_slowness(&self, config: &mut BreakerConfig, reader: &mut Reader<'_>) {
        let known = config.slow;
        let over = self.slow_over.unwrap_or_else(|| known.map(|slow| slow.over));
        let rate = self.slow_rate.or_else(|| known.map(|slow| slow.rate));
        config.slow = match (over, rate) {
            (Some(over), Some(rate)) => Some(SlowRule { over, rate }),
            (Some(_), None) => {
                reader.under("slow_rate", |reader| {
                    reader.wrong(
                        "`slow_over` needs it: the share of slow calls that opens the breaker",
                    );
                });
                known
            }
            (None, _) => {
                if self.slow_rate.is_some() {
                    reader.under("slow_rate", |reader| {
                        reader.wrong("it needs `slow_over`: how long an answer takes that is slow");
                    });
                }
                None
            }
        };
    }

    fn lay_recovery(&self, config: &mut BreakerConfig) {
        lay(&mut config.when_open, &self.when_open);
        lay(&mut config.open_for, &self.open_for);
        lay(&mut config.open_cap, &self.open_cap);
        lay(&mut config.open_growth, &self.open_growth);
        lay(&mut config.open_times, &self.open_times);
        lay(&mut config.open_jitter, &self.open_jitter);
        lay(&mut config.retry_after_cap, &self.retry_after_cap);
        lay(&mut config.probes, &self.probes);
        lay(&mut config.probe_successes, &self.probe_successes);
        lay(&mut config.probe_limit, &self.probe_limit);
        lay(&mut config.abandoned_after, &self.abandoned_after);
        lay(&mut config.throttled, &self.throttled);
        lay(&mut config.mode, &self.mode);
    }
}
