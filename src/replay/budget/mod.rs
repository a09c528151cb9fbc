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
pub(crate) use bucket::{CallUnderWay, Pass, Place};
pub(crate) use terms::{BudgetTerms, CallTerms, UnderWayTerms};

use crate::settings::Ratio;

/// How much of an integration's traffic may be retries and hedges.
///
/// A token bucket, full at the start: each call puts the ratio in, each retry takes one token out, and
/// a success gives nothing back. So over any stretch, retries are at most `ratio × calls`, plus what
/// the bucket held (20 at most, or the [`burst`](Self::burst)), plus the floor: so many retries in any
/// ten seconds, for integrations with little traffic. The arithmetic is in millionths and exact: a
/// ratio of 0.4 allows 40 %.
///
/// The default is 20 % (the share that tower, Finagle and Linkerd begin with) and ten in ten seconds: a
/// provider that fails everything gets 1.2 times its usual load, and a quiet integration is not left
/// without retries.
///
/// Or [by what is under way](Self::under_way): at most a share of the calls under way may be retries
/// at that moment.
///
/// Calls that [wait](crate::retry::EmptyBudget::Wait) for a retry do so in one line, first come, first served,
/// and nobody passes it, so that a new call's retry never keeps an older one's waiting.
///
/// Clones share the bucket: give the same budget to several layers, and they share it. Where a file
/// sets other terms for one of them, they hold for all; `"none"` rations that one no more, and the
/// others as before.
#[derive(Clone, Debug)]
pub struct RetryBudget(Option<Arc<Bucket>>);

impl RetryBudget {
    /// At most `ratio` of the calls, and at least `floor` in ten seconds.
    #[must_use]
    pub fn new(ratio: Ratio, floor: u32) -> Self {
        Self::of(BudgetTerms::Calls(CallTerms { ratio, floor, ..CallTerms::default() }))
    }

    /// At most `share` of the calls that are under way, and at least `least` retries at a time.
    ///
    /// A retry is under way from when it was decided on, its wait included, until its answer's head has
    /// come, it failed or its caller left; a call is as long. Nothing is saved up, and nothing is
    /// left over of a busy hour. It is what Envoy calls `retry_budget` (`budget_percent`,
    /// `min_retry_concurrency`: 20 % and 3). Prefer it where calls take very different times; where a
    /// provider fails at once, few calls are under way, and it allows more retries than a ratio.
    #[must_use]
    pub fn under_way(share: Ratio, least: u32) -> Self {
        Self::of(BudgetTerms::UnderWay(UnderWayTerms { share, least }))
    }

    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// The time in which the floor may be used once; ten seconds by default. Starts afresh.
    ///
    /// A budget by what is under way has no floor, and stays as it is.
    #[must_use]
    pub fn floor_period(self, period: Duration) -> Self {
        self.rebuild(|terms| CallTerms { floor_period: period, ..terms })
    }

    /// How many retries may be saved up while all is well, and are at the start; 20 by default. Starts
    /// afresh.
    ///
    /// A budget by what is under way saves nothing up, and stays as it is.
    #[must_use]
    pub fn burst(self, retries: u32) -> Self {
        self.rebuild(|terms| CallTerms { burst: retries, ..terms })
    }

    /// The same settings, with a bucket of its own.
    pub(crate) fn afresh(self) -> Self {
        self.rebuild(|terms| terms)
    }

    /// How many retries are saved up, without the floor, or may be under way beside those that are;
    /// `None` without a limit.
    #[must_use]
    pub fn saved(&self) -> Option<u32> {
        self.0.as_ref().map(|bucket| bucket.saved())
    }

    /// What it was set to; `None` without a limit.
    pub(crate) fn terms(&self) -> Option<BudgetTerms> {
        self.0.as_ref().map(|bucket| bucket.terms())
    }

    /// What it was made with; `None` without a limit.
    pub(crate) fn made(&self) -> Option<BudgetTerms> {
        self.0.as_ref().map(|bucket| bucket.made)
    }

    /// Other terms from now on, for all who share it; what was saved and used stays. A budget without
    /// a limit becomes one that has it, for whoever is given this one.
    pub(crate) fn reconfigured(self, terms: BudgetTerms) -> Self {
        let Some(bucket) = &self.0 else { return Self::of(terms) };
        bucket.reconfigure(terms);
        self
    }

    /// A call begins: it pays in, or is counted as long as it is under way.
    pub(crate) fn begin_call(&self) -> CallUnderWay {
        self.0.as_ref().map_or_else(CallUnderWay::uncounted, Bucket::begin_call)
    }

    /// Takes a retry, if there is one and nobody waits for it.
    pub(crate) fn withdraw(&self, now: Instant) -> Option<Pass> {
        self.0.as_ref().map_or_else(|| Some(Pass::uncounted()), |bucket| bucket.withdraw(now))
    }

    /// A place in the line, which is joined when it is first asked.
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
