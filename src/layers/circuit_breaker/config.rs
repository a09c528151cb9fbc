use std::time::Duration;

use crate::rt::Rng;
use crate::settings::{Errors, Ratio};

/// The settings of a circuit breaker, as [`CircuitBreakerLayer`](super::CircuitBreakerLayer) sets
/// them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerConfig {
    pub(crate) window: WindowSize,
    pub(crate) minimum: u32,
    pub(crate) failure_rate: Option<Ratio>,
    pub(crate) failures: Option<u32>,
    pub(crate) slow: Option<SlowRule>,
    pub(crate) consecutive: Option<Consecutive>,
    pub(crate) no_success_for: Duration,
    pub(crate) when_open: WhenOpen,
    pub(crate) open_for: Duration,
    pub(crate) open_cap: Duration,
    pub(crate) open_growth: f64,
    pub(crate) open_times: Vec<Duration>,
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

/// What becomes of calls while nothing answers. A call that tries the provider is let through in
/// either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenOpen {
    /// They are refused at once: a person is waiting.
    #[default]
    Refuse,
    /// They wait until the provider answers again, or until their deadline: a job has time. After
    /// that they go a few at a time: one, and twice as many each second.
    Hold,
}

/// What a throttled answer (429) speaks against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Throttled {
    /// A probe: the provider is not ready for traffic yet.
    #[default]
    ProbesOnly,
    /// Every call, where a share or a number of the window counts. It never counts in a row: a
    /// provider that asks for less does answer.
    Always,
    /// Nothing.
    Never,
}

/// Whether the breaker acts on what it finds: to see what it would do before it does it.
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
            failure_rate: None,
            failures: None,
            slow: None,
            consecutive: Some(Consecutive::Always(10)),
            no_success_for: Duration::from_secs(2),
            when_open: WhenOpen::default(),
            open_for: Duration::from_millis(450),
            open_cap: Duration::from_secs(60),
            open_growth: 1.0,
            open_times: Vec::new(),
            open_jitter: Ratio::percent(10),
            retry_after_cap: Duration::from_secs(10),
            probes: 1,
            probe_successes: 1,
            probe_limit: Duration::from_secs(1),
            abandoned_after: Duration::from_secs(1),
            throttled: Throttled::default(),
            mode: Mode::default(),
        }
    }
}

#[cfg(feature = "fleet")]
impl Consecutive {
    /// How many in a row.
    pub(super) fn limit(self) -> u32 {
        match self {
            Self::Always(row) | Self::BelowMinimum(row) => row,
        }
    }
}

impl BreakerConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        self.check_rules(errors);
        self.check_window(errors);
        self.check_recovery(errors);
    }

    /// The window's length, where it is one of time and a rule looks at it.
    pub(super) fn window_time(&self) -> Option<Duration> {
        let looks = self.failure_rate.is_some() || self.failures.is_some() || self.slow.is_some();
        match self.window {
            WindowSize::Time(length) if looks => Some(length),
            _ => None,
        }
    }

    /// After so many failures in a row, another attempt of the same call is no help.
    pub(super) fn consecutive_limit(&self) -> Option<u32> {
        match self.consecutive {
            Some(Consecutive::Always(row)) => Some(row),
            _ => None,
        }
    }

    /// How long it stays open before the round of probes with this number, counted from 0.
    pub(super) fn open_time(&self, round: u32, rng: &Rng) -> Duration {
        let listed = self.open_times.get(round as usize).or(self.open_times.last()).copied();
        let (time, cap) = match listed {
            Some(time) => (time, Duration::MAX),
            None => {
                let steps = round.min(MAX_STEPS) as i32;
                let grown = self.open_for.as_secs_f64() * self.open_growth.powi(steps);
                let cap = self.open_cap;
                (Duration::try_from_secs_f64(grown).map_or(cap, |time| time.min(cap)), cap)
            }
        };
        // The longest times round up on the way through a float.
        let spread = time.as_secs_f64() * self.open_jitter.fraction();
        let spread = Duration::try_from_secs_f64(spread).unwrap_or(time);
        // The cap cuts the range, not the draw: otherwise half of all draws would be the cap.
        rng.between(time - spread.min(time), time.saturating_add(spread).min(cap))
    }

    pub(super) fn is_slow(&self, took: Duration) -> bool {
        self.slow.is_some_and(|slow| took > slow.over)
    }

    fn check_rules(&self, errors: &mut Errors<'_>) {
        let by_window = self.failure_rate.is_some() || self.failures.is_some();
        if !by_window && self.slow.is_none() && self.consecutive.is_none() {
            errors.add("rules", "no rule is set, so it can never open: set a failure rate, a number of failures, a slow-call rate or a number in a row");
        }
        if self.failures == Some(0) {
            errors.add("failures", "zero failures would open on every call: use at least one");
        }
        if let (Some(failures), WindowSize::Calls(calls)) = (self.failures, self.window)
            && failures > calls
        {
            errors.add(
                "failures",
                format_args!("{failures} failures never fit a window of {calls} calls, so it can never open: lower it or widen the window"),
            );
        }
        let rates =
            [("failure_rate", self.failure_rate), ("slow_calls", self.slow.map(|slow| slow.rate))];
        for (field, rate) in rates {
            match rate {
                Some(rate) if rate > Ratio::ONE => errors.add(
                    field,
                    format_args!(
                        "{rate} of the calls can never fail, so it can never open: use at most 100%"
                    ),
                ),
                Some(Ratio::ZERO) => {
                    errors.add(field, "0% would open on every call: use more than zero");
                }
                _ => {}
            }
        }
        if self.slow.is_some_and(|slow| slow.over.is_zero()) {
            errors.add("slow_calls", "every call takes longer than no time: give it a duration");
        }
        if let Some(Consecutive::Always(0) | Consecutive::BelowMinimum(0)) = self.consecutive {
            errors.add("consecutive", "zero in a row would open on every call: use at least one");
        }
        if let (Some(Consecutive::BelowMinimum(row)), false, None) =
            (self.consecutive, by_window, self.slow)
            && row >= self.minimum
        {
            errors.add("consecutive", format_args!("{row} in a row below a minimum of {} calls can never happen: lower it, or let it count however many calls there are", self.minimum));
        }
    }

    fn check_window(&self, errors: &mut Errors<'_>) {
        match self.window {
            WindowSize::Calls(0) => errors.add("window", "a window of no calls can never open: hold at least one"),
            WindowSize::Calls(calls) if calls > MAX_CALLS => errors.add(
                "window",
                format_args!("{calls} calls are more than it can hold, which is {MAX_CALLS}: hold fewer, or look at a time"),
            ),
            WindowSize::Calls(calls) if self.has_rate() && self.minimum > calls => errors.add(
                "minimum",
                format_args!("{} calls never fit a window of {calls}, so it can never open: lower it or widen the window", self.minimum),
            ),
            WindowSize::Time(length) if length.is_zero() => {
                errors.add("window", "a window of no time can never open: give it a length");
            }
            _ => {}
        }
        if self.minimum == 0 {
            errors.add("minimum", "a rate needs at least one call: use 1");
        }
    }

    /// Whether a share of the window counts.
    fn has_rate(&self) -> bool {
        self.failure_rate.is_some() || self.slow.is_some()
    }

    fn check_recovery(&self, errors: &mut Errors<'_>) {
        if self.open_for.is_zero() {
            errors.add("open_for", "an open time of zero never rejects: give it a duration");
        }
        if self.open_times.contains(&Duration::ZERO) {
            errors.add("open_times", "an open time of zero never rejects: give each a duration");
        }
        if self.open_for > self.open_cap {
            let (base, cap) = (self.open_for, self.open_cap);
            errors.add(
                "open_for",
                format_args!(
                    "base {base:?} is over its cap {cap:?}: lower the base or raise the cap"
                ),
            );
        }
        if !(self.open_growth.is_finite() && self.open_growth >= 1.0) {
            errors
                .add("open_growth", format_args!("{} is not a number from 1 on", self.open_growth));
        }
        if self.open_jitter > Ratio::ONE {
            errors.add(
                "open_jitter",
                format_args!("{} is over 100%, which is less than no time", self.open_jitter),
            );
        }
        if self.probes == 0 || self.probe_successes == 0 || self.probe_successes > self.probes {
            errors.add(
                "probes",
                format_args!("{} of {} probes can't succeed: let at least one through and ask for no more than that", self.probe_successes, self.probes),
            );
        }
        errors.refuse_zero("probe_limit", Some(self.probe_limit));
    }
}

/// Each call of the window is kept, twice: two megabytes for a breaker, and there may be many.
pub(super) const MAX_CALLS: u32 = 1_000_000;
/// Growth past this many steps has met every cap.
const MAX_STEPS: u32 = 1_000;
