//! How much of the traffic may be retries.

mod bucket;
#[cfg(all(test, outrigger_loom))]
mod interleavings;
mod line;
mod terms;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bucket::Bucket;
pub(crate) use bucket::{CallUnderWay, Place, RetryPermit};
pub(crate) use terms::{BudgetTerms, CallTerms, UnderWayTerms};

use crate::settings::Ratio;

/// How much of an integration's traffic may be retries and hedges.
///
/// A token bucket, full at the start: each call adds `ratio` tokens, each retry takes one, and a
/// success returns nothing. So during any time, there are at most `ratio × calls` retries, plus the
/// tokens in the bucket (20 at most, or the [`burst`](Self::burst)), plus the floor: a number of
/// retries in any ten seconds, for integrations with little traffic. The arithmetic is in
/// millionths and exact: a ratio of 0.4 allows 40 %.
///
/// The default is 20 % (the share that tower, Finagle and Linkerd begin with) and ten in ten seconds: a
/// provider that fails everything gets 1.2 times its usual load, and a quiet integration is not left
/// without retries.
///
/// Or [by running calls](Self::under_way): at any moment, at most a share of the running calls may
/// be retries.
///
/// Calls that [wait](crate::retry::EmptyBudget::Wait) for a retry form one queue, first come, first
/// served, so that a new call never takes a retry before an older one.
///
/// Clones share the bucket, so that several layers can be given one budget. Terms that a file sets
/// for one of these layers apply to all; `"none"` removes the limit for that layer only.
#[derive(Clone, Debug)]
pub struct RetryBudget(Option<Arc<Bucket>>);

impl RetryBudget {
    /// At most `ratio` of the calls, and at least `floor` in ten seconds.
    #[must_use]
    pub fn new(ratio: Ratio, floor: u32) -> Self {
        Self::of(BudgetTerms::Calls(CallTerms { ratio, floor, ..CallTerms::default() }))
    }

    /// At most `share` of the running calls, and at least `least` retries at a time.
    ///
    /// A retry counts from the decision to retry, its wait included, until its answer's head has
    /// arrived, it failed or its caller left; so does a call. No tokens are saved for later. It is
    /// Envoy's `retry_budget` (`budget_percent`, `min_retry_concurrency`: 20 % and 3). Prefer it if
    /// calls take very different times. If a provider fails quickly, few calls run at a time, and
    /// this allows more retries than a ratio.
    #[must_use]
    pub fn under_way(share: Ratio, least: u32) -> Self {
        Self::of(BudgetTerms::UnderWay(UnderWayTerms { share, least }))
    }

    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// The time in which the floor may be used once; ten seconds by default. Resets the budget.
    ///
    /// Has no effect on a budget by running calls, which has no floor.
    #[must_use]
    pub fn floor_period(self, period: Duration) -> Self {
        self.rebuild(|terms| CallTerms { floor_period: period, ..terms })
    }

    /// How many retries are in the bucket at most, and at the start; 20 by default. Resets the
    /// budget.
    ///
    /// Has no effect on a budget by running calls, which saves none.
    #[must_use]
    pub fn burst(self, retries: u32) -> Self {
        self.rebuild(|terms| CallTerms { burst: retries, ..terms })
    }

    /// The same settings with a new bucket.
    pub(crate) fn afresh(self) -> Self {
        self.rebuild(|terms| terms)
    }

    /// How many retries are possible now, without the floor; `None` without a limit.
    #[must_use]
    pub fn saved(&self) -> Option<u32> {
        self.0.as_ref().map(|bucket| bucket.saved())
    }

    /// Its present terms; `None` without a limit.
    pub(crate) fn terms(&self) -> Option<BudgetTerms> {
        self.0.as_ref().map(|bucket| bucket.terms())
    }

    /// The terms that it was made with; `None` without a limit.
    pub(crate) fn made(&self) -> Option<BudgetTerms> {
        self.0.as_ref().map(|bucket| bucket.made)
    }

    /// Changes the terms for all that share the bucket, and keeps its tokens. A budget without a
    /// limit becomes a new one with a limit.
    pub(crate) fn reconfigured(self, terms: BudgetTerms) -> Self {
        let Some(bucket) = &self.0 else { return Self::of(terms) };
        bucket.reconfigure(terms);
        self
    }

    /// Begins a call: it adds tokens, or is counted while it runs.
    pub(crate) fn begin_call(&self) -> CallUnderWay {
        self.0.as_ref().map(Bucket::begin_call).unwrap_or_default()
    }

    /// Takes a retry, if there is one and no other call waits for it.
    pub(crate) fn withdraw(&self, now: Instant) -> Option<RetryPermit> {
        match &self.0 {
            Some(bucket) => bucket.withdraw(now),
            None => Some(RetryPermit::default()),
        }
    }

    /// A place in the queue, which it joins when it is first polled.
    pub(crate) fn place(&self) -> Place {
        Place::of(self.0.as_ref())
    }

    pub(crate) fn of(terms: BudgetTerms) -> Self {
        Self(Some(Arc::new(Bucket::new(terms))))
    }

    fn rebuild(self, change: impl FnOnce(CallTerms) -> CallTerms) -> Self {
        match self.terms() {
            None => self,
            Some(BudgetTerms::Calls(terms)) => Self::of(BudgetTerms::Calls(change(terms))),
            Some(under_way) => Self::of(under_way),
        }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::of(BudgetTerms::Calls(CallTerms::default()))
    }
}
