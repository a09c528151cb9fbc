use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Mistakes;
use crate::ratio::Ratio;
use crate::rt;

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
/// Clones share the bucket: give the same budget to several layers, and they share it. Where a file
/// sets other terms for one of them, they hold for all; `"none"` rations that one no more, and the
/// others as before.
#[derive(Clone, Debug)]
pub struct RetryBudget(Option<Arc<Bucket>>);

#[derive(Debug)]
struct Bucket {
    /// Millionths that a call puts in.
    deposit: AtomicU32,
    /// Tokens in millionths. What is over the cap is cut off when somebody takes one.
    earned: AtomicU64,
    epoch: Instant,
    /// What it was made with, whatever holds now.
    made: BudgetTerms,
    floor: Mutex<Floor>,
}

/// What a budget was set to; can be changed while it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BudgetTerms {
    pub(crate) ratio: Ratio,
    pub(crate) floor: u32,
    pub(crate) floor_period: Duration,
    pub(crate) burst: u32,
}

#[derive(Debug)]
struct Floor {
    terms: BudgetTerms,
    /// When each token of the floor can be used again, in the time of the epoch.
    reserve: Vec<Duration>,
}

impl RetryBudget {
    /// At most `ratio` of the calls, and at least `floor` in ten seconds.
    #[must_use]
    pub fn new(ratio: Ratio, floor: u32) -> Self {
        let (floor_period, burst) = (DEFAULT_PERIOD, DEFAULT_BURST);
        Self::of(BudgetTerms { ratio, floor, floor_period, burst })
    }

    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// The time in which the floor may be used once; ten seconds by default. Starts afresh.
    #[must_use]
    pub fn floor_period(self, period: Duration) -> Self {
        self.rebuild(|terms| BudgetTerms { floor_period: period, ..terms })
    }

    /// How many retries may be saved up while all is well; 20 by default. Starts afresh.
    #[must_use]
    pub fn burst(self, retries: u32) -> Self {
        self.rebuild(|terms| BudgetTerms { burst: retries, ..terms })
    }

    /// The same settings, with a bucket of its own.
    pub(crate) fn afresh(self) -> Self {
        self.rebuild(|terms| terms)
    }

    /// How many retries are saved up, without the floor; `None` without a limit.
    #[must_use]
    pub fn saved(&self) -> Option<u32> {
        let bucket = self.0.as_ref()?;
        let earned = bucket.earned.load(Ordering::Relaxed).min(bucket.floor().terms.cap());
        u32::try_from(earned / TOKEN).ok()
    }

    /// What it was set to; `None` without a limit.
    pub(crate) fn terms(&self) -> Option<BudgetTerms> {
        Some(self.0.as_ref()?.floor().terms)
    }

    /// What it was made with; `None` without a limit.
    pub(crate) fn made(&self) -> Option<BudgetTerms> {
        Some(self.0.as_ref()?.made)
    }

    /// Other terms from now on, for all who share it; what was saved and used stays. A budget without
    /// a limit becomes one that has it, for whoever is given this one.
    pub(crate) fn reconfigured(self, terms: BudgetTerms) -> Self {
        let Some(bucket) = &self.0 else { return Self::of(terms) };
        bucket.deposit.store(terms.ratio.millionths(), Ordering::Relaxed);
        let mut floor = bucket.floor();
        floor.reserve.resize(terms.floor.min(MOST_FLOOR) as usize, Duration::ZERO);
        floor.terms = terms;
        drop(floor);
        self
    }

    /// A call begins.
    pub(crate) fn deposit(&self) {
        if let Some(bucket) = &self.0 {
            let ratio = bucket.deposit.load(Ordering::Relaxed);
            bucket.earned.fetch_add(u64::from(ratio), Ordering::Relaxed);
        }
    }

    /// Takes a token for a retry, if there is one.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        self.0.as_ref().is_none_or(|bucket| bucket.withdraw(now))
    }

    pub(crate) fn of(terms: BudgetTerms) -> Self {
        Self(Some(Arc::new(Bucket {
            deposit: AtomicU32::new(terms.ratio.millionths()),
            earned: AtomicU64::new(terms.cap()),
            epoch: rt::now(),
            made: terms,
            floor: Mutex::new(Floor {
                terms,
                reserve: vec![Duration::ZERO; terms.floor.min(MOST_FLOOR) as usize],
            }),
        })))
    }

    fn rebuild(self, change: impl FnOnce(BudgetTerms) -> BudgetTerms) -> Self {
        match self.terms() {
            None => self,
            Some(terms) => Self::of(change(terms)),
        }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(Ratio::percent(20), 10)
    }
}

impl Bucket {
    fn withdraw(&self, now: Instant) -> bool {
        // Only who wants a retry comes here: a lock is cheap for that.
        let mut floor = self.floor();
        let cap = floor.terms.cap();
        let take = |earned: u64| earned.min(cap).checked_sub(TOKEN);
        if self.earned.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return true;
        }
        let now = now.saturating_duration_since(self.epoch);
        let again = now.saturating_add(floor.terms.floor_period);
        let free = floor.reserve.iter_mut().find(|free_at| **free_at <= now);
        free.map(|free_at| *free_at = again).is_some()
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetTerms {
    pub(crate) fn check_into(self, mistakes: &mut Mistakes<'_>) {
        if self.floor_period.is_zero() {
            mistakes.add(
                "budget.floor_period",
                "a period of no time makes the floor unlimited: give it a duration",
            );
        }
        if self.floor > MOST_FLOOR {
            mistakes.add(
                "budget.floor",
                format_args!(
                    "{} in {:?} is no floor: use at most {MOST_FLOOR}, or a ratio",
                    self.floor, self.floor_period
                ),
            );
        }
        if self.burst == 0 && self.floor == 0 {
            mistakes.add(
                "budget",
                "neither burst nor floor holds a retry, so none is ever allowed: raise one, or allow one attempt only",
            );
        }
    }

    /// The most that can be saved, in millionths.
    fn cap(self) -> u64 {
        u64::from(self.burst).saturating_mul(TOKEN)
    }
}

/// A floor is for integrations with little traffic.
const MOST_FLOOR: u32 = 10_000;
/// One retry, in millionths.
const TOKEN: u64 = 1_000_000;
/// About as long as a blip.
const DEFAULT_PERIOD: Duration = Duration::from_secs(10);
/// Enough for one bad moment of a service that was fine all day, too few to harm a provider.
const DEFAULT_BURST: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_budget_allows_what_the_reference_model_allows(
            percent in 0_u32..=100,
            floor in 0_u32..5,
            burst in 0_u32..10,
            steps in proptest::collection::vec((0_u64..4_000, any::<bool>()), 0..300),
        ) {
            let start = rt::now();
            let budget = RetryBudget::new(Ratio::percent(percent), floor).burst(burst);
            // The model: hundredths of a token, and a log of when the floor was used.
            let (mut hundredths, mut log) = (u64::from(burst) * 100, Vec::<u64>::new());
            let mut millis = 1_000_000;
            for (step, is_call) in steps {
                millis += step;
                if is_call {
                    budget.deposit();
                    hundredths += u64::from(percent);
                    continue;
                }
                hundredths = hundredths.min(u64::from(burst) * 100);
                let recent = log.iter().filter(|used| millis - **used < 10_000).count();
                let expected = if hundredths >= 100 {
                    hundredths -= 100;
                    true
                } else if recent < floor as usize {
                    log.push(millis);
                    true
                } else {
                    false
                };
                let now = start + Duration::from_millis(millis);
                prop_assert_eq!(budget.withdraw(now), expected);
            }
        }
    }

    #[test]
    fn a_ratio_is_kept_to_the_retry() {
        for percent in [1, 4, 10, 40, 51, 90] {
            let budget = RetryBudget::new(Ratio::percent(percent), 0).burst(1_000);
            assert_eq!((0..2_000).filter(|_| budget.withdraw(rt::now())).count(), 1_000);
            (0..1_000).for_each(|_| budget.deposit());
            let retries = (0..2_000).filter(|_| budget.withdraw(rt::now())).count();
            assert_eq!(retries, percent as usize * 10, "{percent} %");
        }
    }

    #[test]
    fn without_traffic_there_is_only_the_floor() {
        let budget = RetryBudget::new(Ratio::percent(50), 3).burst(0);
        let now = rt::now();
        assert_eq!((0..100).filter(|_| budget.withdraw(now)).count(), 3);
        let soon = now + Duration::from_millis(9_999);
        assert!(!budget.withdraw(soon));
        let later = now + Duration::from_secs(10);
        assert_eq!((0..100).filter(|_| budget.withdraw(later)).count(), 3);
    }

    #[test]
    fn a_race_for_one_token_has_one_winner() {
        for _ in 0..200 {
            let budget = RetryBudget::new(Ratio::ONE, 0).burst(1);
            let won = std::thread::scope(|scope| {
                let race = || budget.withdraw(rt::now());
                let threads = [scope.spawn(race), scope.spawn(race)];
                threads.into_iter().map(|thread| thread.join().unwrap()).filter(|won| *won).count()
            });
            assert_eq!(won, 1);
        }
    }
}
