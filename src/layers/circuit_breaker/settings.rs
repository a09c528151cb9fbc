use std::time::Duration;

use super::config::{BreakerConfig, Consecutive, Mode, SlowRule, Throttled, WhenOpen, WindowSize};
use super::layer::CircuitBreakerLayer;
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::words;

section! {
    /// `[circuit_breaker]`
    BreakerSettings {
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

impl Table<CircuitBreakerLayer> for BreakerSettings {
    fn of(layer: &CircuitBreakerLayer) -> Self {
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

    fn merge(&self, layer: &mut CircuitBreakerLayer, reader: &mut Reader<'_>) {
        let is_empty = *self == Self::default();
        let config = match (self.enabled, layer.config()) {
            (Some(false), _) => None,
            (None, None) if is_empty => None,
            // Any setting switches it on, as it does in code.
            (_, config) => Some(config.cloned().unwrap_or_default()),
        };
        let config = config.map(|mut config| {
            self.merge_rules(&mut config, reader);
            self.merge_recovery(&mut config);
            config
        });
        if config.as_ref() != layer.config() {
            *layer = layer.clone().with_config(config);
        }
    }

    fn key_of<'f>(field: &'f str, layer: &CircuitBreakerLayer) -> &'f str {
        let row = layer.config().and_then(|config| config.consecutive);
        let window = layer.config().map(|config| config.window);
        match field {
            // There is none, so it is in no setting.
            "rules" => "",
            "slow_calls" => "slow_rate",
            "consecutive" if matches!(row, Some(Consecutive::BelowMinimum(_))) => {
                "consecutive_below_minimum"
            }
            "window" if matches!(window, Some(WindowSize::Calls(_))) => "window_calls",
            field => field,
        }
    }
}

impl BreakerSettings {
    fn merge_rules(&self, config: &mut BreakerConfig, reader: &mut Reader<'_>) {
        match (self.window, self.window_calls) {
            (Some(_), Some(_)) => {
                reader.wrong("`window` and `window_calls` are two windows: use one of them");
            }
            (Some(length), None) => config.window = WindowSize::Time(length),
            (None, Some(calls)) => config.window = WindowSize::Calls(calls),
            (None, None) => {}
        }
        assign(&mut config.failure_rate, &self.failure_rate);
        assign(&mut config.minimum, &self.minimum);
        assign(&mut config.failures, &self.failures);
        assign(&mut config.no_success_for, &self.no_success_for);
        self.merge_slowness(config, reader);
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

    fn merge_slowness(&self, config: &mut BreakerConfig, reader: &mut Reader<'_>) {
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

    fn merge_recovery(&self, config: &mut BreakerConfig) {
        assign(&mut config.when_open, &self.when_open);
        assign(&mut config.open_for, &self.open_for);
        assign(&mut config.open_cap, &self.open_cap);
        assign(&mut config.open_growth, &self.open_growth);
        assign(&mut config.open_times, &self.open_times);
        assign(&mut config.open_jitter, &self.open_jitter);
        assign(&mut config.retry_after_cap, &self.retry_after_cap);
        assign(&mut config.probes, &self.probes);
        assign(&mut config.probe_successes, &self.probe_successes);
        assign(&mut config.probe_limit, &self.probe_limit);
        assign(&mut config.abandoned_after, &self.abandoned_after);
        assign(&mut config.throttled, &self.throttled);
        assign(&mut config.mode, &self.mode);
    }
}

words! {
    Mode {
        Self::Enforce => "enforce" as Self::Enforce,
        Self::ReportOnly => "report-only" as Self::ReportOnly,
    }
    WhenOpen {
        Self::Refuse => "refuse" as Self::Refuse,
        Self::Hold => "hold" as Self::Hold,
    }
    Throttled {
        Self::ProbesOnly => "probes-only" as Self::ProbesOnly,
        Self::Always => "always" as Self::Always,
        Self::Never => "never" as Self::Never,
    }
}
