use std::time::Duration;

use crate::config::Mistakes;
use crate::ratio::Ratio;

/// The settings of a circuit breaker, as [`CircuitBreakerLayer`](super::CircuitBreakerLayer) sets
/// them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerConfig {
    pub(crate) window: WindowSize,
    pub(crate) minimum: u32,
    pub(crate) failure_rate: Option<Ratio>,
    pub(crate) slow: Option<SlowRule>,
    pub(crate) consecutive: Option<Consecutive>,
    pub(crate) open_for: Duration,
    pub(crate) open_cap: Duration,
    pub(crate) open_growth: f64,
    pub(crate) open_jitter: Ratio,
    pub(crate) retry_after_cap: Duration,
    pub(crate) probes: u32,
    pub(crate) probe_successes: u32,
    pub(crate) probe_limit: Duration,
    pub(crate) abandoned_after: Duration,
    pub(crate) throttled: Throttled,
    pub(crate) mode: Mode,
}

/// What the window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowSize {
    Time(Duration),
    Calls(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlowRule {
    pub(crate) over: Duration,
    pub(crate) rate: Ratio,
}

/// Opens on failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consecutive {
    /// On so many in a row.
    Always(u32),
    /// On so many in a row, while the window holds too few calls for its rates to mean anything.
    BelowMinimum(u32),
}

/// What a throttled answer (429) speaks against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Throttled {
    /// A probe: the provider is not ready for traffic yet.
    #[default]
    ProbesOnly,
    /// Every call.
    Always,
    /// Nothing.
    Never,
}

/// Whether the breaker acts on what it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It rejects.
    #[default]
    Enforce,
    /// It only tells what it would have rejected.
    ReportOnly,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: WindowSize::Time(Duration::from_secs(30)),
            minimum: 20,
            failure_rate: Some(Ratio::percent(80)),
            slow: None,
            consecutive: Some(Consecutive::BelowMinimum(5)),
            open_for: Duration::from_secs(5),
            open_cap: Duration::from_secs(60),
            open_growth: 2.0,
            open_jitter: Ratio::percent(50),
            retry_after_cap: Duration::from_secs(600),
            probes: 3,
            probe_successes: 2,
            probe_limit: Duration::from_secs(10),
            abandoned_after: Duration::from_secs(1),
            throttled: Throttled::default(),
            mode: Mode::default(),
        }
    }
}

impl BreakerConfig {
    pub(super) fn check_into(&self, mistakes: &mut Mistakes<'_>) {
        self.check_rules(mistakes);
        self.check_window(mistakes);
        self.check_recovery(mistakes);
    }

    /// The window's length, where it is one of time.
    pub(super) fn window_time(&self) -> Option<Duration> {
        match self.window {
            WindowSize::Time(length) => Some(length),
            WindowSize::Calls(_) => None,
        }
    }

    pub(super) fn is_slow(&self, took: Duration) -> bool {
        self.slow.is_some_and(|slow| took > slow.over)
    }

    fn check_rules(&self, mistakes: &mut Mistakes<'_>) {
        if self.failure_rate.is_none() && self.slow.is_none() && self.consecutive.is_none() {
            mistakes.add("rules", "there are none, so it can never open: set a failure rate, a slow-call rate or a number in a row");
        }
        let rates =
            [("failure_rate", self.failure_rate), ("slow_calls", self.slow.map(|slow| slow.rate))];
        for (field, rate) in rates {
            match rate {
                Some(rate) if rate > Ratio::ONE => mistakes.add(
                    field,
                    format_args!(
                        "{rate} of the calls can never fail, so it can never open: use at most 100%"
                    ),
                ),
                Some(Ratio::ZERO) => {
                    mistakes.add(field, "0% would open on every call: use more than zero");
                }
                _ => {}
            }
        }
        if self.slow.is_some_and(|slow| slow.over.is_zero()) {
            mistakes.add("slow_calls", "every call takes longer than no time: give it a duration");
        }
        if let Some(Consecutive::Always(0) | Consecutive::BelowMinimum(0)) = self.consecutive {
            mistakes.add("consecutive", "zero in a row would open on every call: use at least one");
        }
        if let (Some(Consecutive::BelowMinimum(row)), None, None) =
            (self.consecutive, self.failure_rate, self.slow)
            && row >= self.minimum
        {
            mistakes.add("consecutive", format_args!("{row} in a row below a minimum of {} calls can never happen: lower it, or let it count however many calls there are", self.minimum));
        }
    }

    fn check_window(&self, mistakes: &mut Mistakes<'_>) {
        match self.window {
            WindowSize::Calls(0) => mistakes.add("window", "a window of no calls can never open: hold at least one"),
            WindowSize::Calls(calls) if calls > MOST_CALLS => mistakes.add(
                "window",
                format_args!("{calls} calls are more than it can hold, which is {MOST_CALLS}: hold fewer, or look at a time"),
            ),
            WindowSize::Calls(calls) if self.minimum > calls => mistakes.add(
                "minimum",
                format_args!("{} calls never fit a window of {calls}, so it can never open: lower it or widen the window", self.minimum),
            ),
            WindowSize::Time(length) if length.is_zero() => {
                mistakes.add("window", "a window of no time can never open: give it a length");
            }
            _ => {}
        }
        if self.minimum == 0 {
            mistakes.add("minimum", "a rate needs at least one call: use 1");
        }
    }

    fn check_recovery(&self, mistakes: &mut Mistakes<'_>) {
        if self.open_for.is_zero() {
            mistakes.add("open_for", "an open time of zero never rejects: give it a duration");
        }
        if self.open_for > self.open_cap {
            let (base, cap) = (self.open_for, self.open_cap);
            mistakes.add(
                "open_for",
                format_args!(
                    "base {base:?} is over its cap {cap:?}: lower the base or raise the cap"
                ),
            );
        }
        if !(self.open_growth.is_finite() && self.open_growth >= 1.0) {
            mistakes
                .add("open_growth", format_args!("{} is not a number from 1 on", self.open_growth));
        }
        if self.open_jitter > Ratio::ONE {
            mistakes.add(
                "open_jitter",
                format_args!("{} is over 100%, which is less than no time", self.open_jitter),
            );
        }
        if self.probes == 0 || self.probe_successes == 0 || self.probe_successes > self.probes {
            mistakes.add(
                "probes",
                format_args!("{} of {} probes can't succeed: let at least one through and ask for no more than that", self.probe_successes, self.probes),
            );
        }
        mistakes.refuse_zero("probe_limit", Some(self.probe_limit));
    }
}

/// Each call of the window is kept, twice: two megabytes for a breaker, and there may be many.
pub(super) const MOST_CALLS: u32 = 1_000_000;
