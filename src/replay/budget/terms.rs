use std::time::Duration;

use crate::settings::{Errors, Ratio};

/// The terms of a budget. They can be changed while it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BudgetTerms {
    /// By calls that begin.
    Calls(CallTerms),
    /// By calls that are running.
    UnderWay(UnderWayTerms),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallTerms {
    pub(crate) ratio: Ratio,
    pub(crate) floor: u32,
    pub(crate) floor_period: Duration,
    pub(crate) burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnderWayTerms {
    pub(crate) share: Ratio,
    pub(crate) least: u32,
}

impl BudgetTerms {
    /// How much each call adds, in millionths of a token; absent if running calls are counted.
    pub(super) fn deposit(self) -> Option<u32> {
        match self {
            Self::Calls(terms) => Some(terms.ratio.millionths()),
            Self::UnderWay(_) => None,
        }
    }

    /// The most that the bucket holds, in millionths of a token.
    pub(super) fn cap(self) -> u64 {
        match self {
            Self::Calls(terms) => u64::from(terms.burst).saturating_mul(TOKEN),
            Self::UnderWay(_) => 0,
        }
    }

    /// The number of tokens of the floor.
    pub(super) fn places(self) -> usize {
        match self {
            Self::Calls(terms) => terms.floor.min(MOST_FLOOR) as usize,
            Self::UnderWay(_) => 0,
        }
    }

    pub(crate) fn check_into(self, errors: &mut Errors<'_>) {
        match self {
            Self::Calls(terms) => terms.check_into(errors),
            Self::UnderWay(terms) if terms.share == Ratio::ZERO && terms.least == 0 => {
                errors.add(
                    "budget",
                    "neither a share of the calls nor a least number, so no retry is ever allowed: raise one, or allow one attempt only",
                );
            }
            Self::UnderWay(_) => {}
        }
    }

    /// How many retries a single call can have in this time: the full bucket, and the floor once a
    /// period. `None` if there is no such limit.
    pub(crate) fn payable(self, within: Option<Duration>) -> Option<u64> {
        let Self::Calls(terms) = self else { return None };
        let floor = match within {
            Some(within) => {
                let periods = within.as_nanos().div_ceil(terms.floor_period.as_nanos().max(1));
                let periods = u64::try_from(periods).unwrap_or(u64::MAX);
                u64::from(terms.floor).saturating_mul(periods)
            }
            None if terms.floor == 0 && terms.ratio == Ratio::ZERO => 0,
            None => return None,
        };
        Some(floor.saturating_add(terms.burst.into()))
    }
}

impl CallTerms {
    fn check_into(self, errors: &mut Errors<'_>) {
        if self.floor_period.is_zero() {
            errors.add(
                "budget.floor_period",
                "a period of no time makes the floor unlimited: give it a duration",
            );
        }
        if self.floor > MOST_FLOOR {
            errors.add(
                "budget.floor",
                format_args!(
                    "{} in {:?} is no floor: use at most {MOST_FLOOR}, or a ratio",
                    self.floor, self.floor_period
                ),
            );
        }
        if self.burst == 0 && self.floor == 0 {
            errors.add(
                "budget",
                "neither burst nor floor holds a retry, so none is ever allowed: raise one, or allow one attempt only",
            );
        }
    }
}

impl UnderWayTerms {
    /// How many retries may run beside so many calls.
    pub(super) fn allowed(self, calls: u32) -> u32 {
        let share = u64::from(calls) * u64::from(self.share.millionths()) / TOKEN;
        self.least.max(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

impl Default for CallTerms {
    fn default() -> Self {
        Self {
            ratio: Ratio::percent(20),
            floor: 10,
            floor_period: DEFAULT_PERIOD,
            burst: DEFAULT_BURST,
        }
    }
}

/// Those of Envoy's `retry_budget`.
impl Default for UnderWayTerms {
    fn default() -> Self {
        Self { share: Ratio::percent(20), least: 3 }
    }
}

/// One retry, in millionths.
pub(super) const TOKEN: u64 = 1_000_000;
/// Enough for an integration with little traffic.
const MOST_FLOOR: u32 = 10_000;
/// About as long as a short outage.
const DEFAULT_PERIOD: Duration = Duration::from_secs(10);
/// Enough for one bad moment of a service that was fine all day, too few to harm a provider.
const DEFAULT_BURST: u32 = 20;
