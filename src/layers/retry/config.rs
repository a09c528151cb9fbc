use std::time::Duration;

use crate::backoff::Backoff;
use crate::settings::{Errors, Ratio};

/// The settings of retrying, as [`RetryLayer`](super::RetryLayer) sets them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryConfig {
    /// The first included; `None` without a limit.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) max_elapsed: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) retry_after_cap: Option<Duration>,
    pub(crate) retry_after_spread: Ratio,
    pub(crate) body_cap: usize,
    pub(crate) drain_cap: usize,
    pub(crate) rejections: Rejections,
    pub(crate) when_budget_is_empty: EmptyBudget,
}

/// What happens to a call that a layer further in refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejections {
    /// It fails at once.
    #[default]
    Fail,
    /// It waits until the time that the layer named, if the deadline allows. Nothing was sent, so
    /// it costs neither an attempt nor budget.
    Wait,
}

/// What happens to a retry when the [budget](super::RetryBudget) is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyBudget {
    /// It is not made: the last result is returned at once. A person is waiting.
    #[default]
    Fail,
    /// It waits by its backoff, and then in a queue until there is budget, or until its time is up and
    /// the last result is returned. For jobs, which have time: in an outage they wait and don't fail.
    /// Nothing is sent meanwhile, and no attempt is spent.
    Wait,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: Some(3),
            max_elapsed: None,
            backoff: Backoff::exponential(Duration::from_millis(100), Duration::from_secs(10)),
            retry_after_cap: Some(Duration::from_secs(300)),
            retry_after_spread: Ratio::percent(50),
            body_cap: 1 << 20,
            drain_cap: 1 << 16,
            rejections: Rejections::default(),
            when_budget_is_empty: EmptyBudget::default(),
        }
    }
}

impl RetryConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        if self.max_attempts == Some(0) {
            errors.add(
                "max_attempts",
                "zero attempts send nothing: the first counts too, so use 1 for no retries",
            );
        }
        errors.refuse_zero("max_elapsed", self.max_elapsed);
        if self.retry_after_cap.is_some_and(|cap| cap.is_zero()) {
            errors
                .add("retry_after_cap", "no `Retry-After` would be waited out: give it a duration");
        }
        self.backoff.check(errors);
    }
}
