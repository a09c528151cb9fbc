use std::time::Duration;

use super::config::{EmptyBudget, Rejections};
use super::delays::DelaySettings;
use super::layer::RetryLayer;
use crate::replay::budget::{BudgetTerms, CallTerms, UnderWayTerms};
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::{LARGEST, words};

section! {
    /// `[retry]`
    RetrySettings {
        max_attempts: Option<u32>,
        max_elapsed: Option<Duration>,
        backoff: DelaySettings,
        retry_after_cap: Option<Duration>,
        retry_after_spread: Ratio,
        budget: Option<BudgetSettings>,
        body_cap: usize,
        drain_cap: usize,
        rejections: Rejections,
        when_budget_is_empty: EmptyBudget,
    }
}

section! {
    /// `[retry.budget]`: `ratio` and those after it, or `under_way` and `least`.
    BudgetSettings {
        ratio: Ratio,
        floor: u32,
        floor_period: Duration,
        burst: u32,
        under_way: Ratio,
        least: u32,
    }
}

impl Table<RetryLayer> for RetrySettings {
    fn of(layer: &RetryLayer) -> Self {
        let config = layer.config();
        Self {
            max_attempts: Some(config.max_attempts),
            max_elapsed: Some(config.max_elapsed),
            backoff: Some(DelaySettings::of(&config.backoff)),
            retry_after_cap: Some(config.retry_after_cap),
            retry_after_spread: Some(config.retry_after_spread),
            budget: Some(layer.shared_budget().terms().map(BudgetSettings::of)),
            body_cap: Some(config.body_cap.min(LARGEST)),
            drain_cap: Some(config.drain_cap.min(LARGEST)),
            rejections: Some(config.rejections),
            when_budget_is_empty: Some(config.when_budget_is_empty),
        }
    }

    fn merge(&self, layer: &mut RetryLayer, reader: &mut Reader<'_>) {
        let mut config = layer.config().clone();
        assign(&mut config.max_attempts, &self.max_attempts);
        assign(&mut config.max_elapsed, &self.max_elapsed);
        assign(&mut config.retry_after_cap, &self.retry_after_cap);
        assign(&mut config.retry_after_spread, &self.retry_after_spread);
        assign(&mut config.body_cap, &self.body_cap);
        assign(&mut config.drain_cap, &self.drain_cap);
        assign(&mut config.rejections, &self.rejections);
        assign(&mut config.when_budget_is_empty, &self.when_budget_is_empty);
        if let Some(delays) = &self.backoff {
            reader.under("backoff", |reader| delays.merge(&mut config.backoff, reader));
        }
        *layer = layer.clone().with_config(config);
        if let Some(budget) = &self.budget {
            let known = layer.shared_budget().made();
            let terms = budget
                .as_ref()
                .map(|budget| reader.under("budget", |reader| budget.merge(known, reader)));
            *layer = layer.clone().with_budget_terms(terms);
        }
    }
}

impl BudgetSettings {
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

    fn merge(&self, known: Option<BudgetTerms>, reader: &mut Reader<'_>) -> BudgetTerms {
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
                assign(&mut terms.ratio, ratio);
                assign(&mut terms.floor, floor);
                assign(&mut terms.floor_period, floor_period);
                assign(&mut terms.burst, burst);
                BudgetTerms::Calls(terms)
            }
            (known, false, true) => {
                let mut terms = match known {
                    BudgetTerms::UnderWay(terms) => terms,
                    BudgetTerms::Calls(_) => UnderWayTerms::default(),
                };
                assign(&mut terms.share, under_way);
                assign(&mut terms.least, least);
                BudgetTerms::UnderWay(terms)
            }
        }
    }
}

words! {
    Rejections {
        Self::Fail => "fail" as Self::Fail,
        Self::Wait => "wait" as Self::Wait,
    }
    EmptyBudget {
        Self::Fail => "fail" as Self::Fail,
        Self::Wait => "wait" as Self::Wait,
    }
}
