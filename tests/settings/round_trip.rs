//! What settings are written as reads back the same.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use outrigger::backoff::{Backoff, Jitter};
use outrigger::bulkhead::Adaptive;
use outrigger::cache::{CacheLayer, CacheWindows};
use outrigger::circuit_breaker::{Consecutive, Mode, Throttled, WhenOpen};
use outrigger::drift::{DriftLayer, ShapeConfig};
use outrigger::fault_injection::Plan;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile, KeyedMethods};
use outrigger::integration::OwnClient;
use outrigger::rate_limit::{Learning, RateLimitLayer};
use outrigger::retry::{EmptyBudget, Rejections, RetryBudget, RetryLayer};
use outrigger::token::TokenLayer;
use outrigger::validate::{self, ValidateLayer};
use outrigger::{Integration, IntegrationBuilder, IntegrationConfig, Ratio};

type Builder = IntegrationBuilder<OwnClient>;

fn presets() -> [Builder; 2] {
    [Integration::user_flow("x"), Integration::background("x")]
}

fn through_json(config: &IntegrationConfig) -> IntegrationConfig {
    serde_json::from_str(&serde_json::to_string(config).unwrap()).unwrap()
}

fn through_toml(config: &IntegrationConfig) -> IntegrationConfig {
    toml::from_str(&toml::to_string(config).unwrap()).unwrap()
}

/// What it is set to, written, read and laid over the preset, is what it is set to.
fn comes_back(built: &Integration, preset: Builder) {
    let config = built.config();
    assert_eq!(through_json(&config), config);
    assert_eq!(through_toml(&config), config);
    assert_eq!(preset.clone().config(through_toml(&config)).build().unwrap().config(), config);
    let plain = preset.build().unwrap();
    plain.apply(&config).unwrap();
    assert_eq!(plain.config(), config);
}

/// Every setting that a file can say is another one.
fn changed(preset: Builder) -> Builder {
    let plan = Plan::new()
        .latency(Ratio::percent(50), Duration::from_millis(200), Duration::from_secs(4))
        .status(Ratio::percent(20), StatusCode::SERVICE_UNAVAILABLE)
        .status(Ratio::percent(5), StatusCode::TOO_MANY_REQUESTS)
        .hang(Ratio::percent(1))
        .reset(Ratio::per_million(1))
        .slow_body(Ratio::percent(5), Duration::from_millis(100))
        .answer(Ratio::percent(40), "\"{}\"\n", HeaderValue::from_static("a/b"));
    preset
        .deadline(Duration::from_secs(3_601))
        .deadline_may_be_lengthened(false)
        .idle_timeout(Duration::from_millis(2_500))
        .cache(|cache: CacheLayer| {
            cache
                .fresh_for(Duration::from_secs(61))
                .stale_while_revalidate(Duration::from_secs(62))
                .stale_if_error(Duration::from_secs(63))
                .body_cap(65_537)
                .max_bytes(1 << 20)
                .max_keys(77)
                .template("/b", CacheWindows::new().stale_if_error(Duration::from_secs(64)))
                .template("/a", CacheWindows::new().fresh_for(Duration::from_secs(65)))
        })
        .validate(|checks: ValidateLayer| {
            checks.mode(validate::Mode::ReportOnly).body_cap(65_538).must_check(true)
        })
        .correlation(|layer| {
            layer
                .header(HeaderName::from_static("x-trace"))
                .baggage_to("a.test")
                .baggage_to("b.test")
        })
        .idempotency(
            IdempotencyLayer::new(
                KeyProfile::ietf().max_len(64).lifetime(Duration::from_secs(7)).honours_keys(),
            )
            .methods(KeyedMethods::Writing),
        )
        .retry(|retry| {
            let budget = RetryBudget::new(Ratio::per_million(123_456), 7);
            retry
                .max_attempts(9)
                .max_elapsed(Duration::from_secs(99))
                .backoff(
                    Backoff::exponential(Duration::from_micros(1_500), Duration::from_secs(2))
                        .factor(1.7)
                        .jitter(Jitter::Decorrelated),
                )
                .retry_after_cap(Duration::from_secs(77))
                .retry_after_spread(Ratio::percent(33))
                .budget(budget.burst(5).floor_period(Duration::from_secs(30)))
                .body_cap(usize::MAX)
                .drain_cap(0)
                .rejections(Rejections::Wait)
                .when_budget_is_empty(EmptyBudget::Wait)
        })
        .hedge(HedgeLayer::quantile(Ratio::per_million(999_000)).at_least(Duration::from_millis(5)))
        .breaker(|breaker| {
            breaker
                .window_of_calls(500)
                .failure_rate(Ratio::percent(51), 50)
                .slow_calls(Duration::from_secs(2), Ratio::percent(90))
                .failures(40)
                .consecutive(Consecutive::Always(12))
                .no_success_for(Duration::from_secs(7))
                .when_open(WhenOpen::Hold)
                .open_for(Duration::from_millis(1_100), Duration::from_secs(9))
                .open_growth(1.25)
                .open_times([Duration::from_secs(1), Duration::from_secs(8)])
                .open_jitter(Ratio::percent(15))
                .retry_after_cap(Duration::from_secs(11))
                .probes(5, 4)
                .probe_limit(Duration::from_secs(3))
                .abandoned_after(Duration::from_millis(1))
                .throttled(Throttled::Never)
                .mode(Mode::ReportOnly)
        })
        .rate_limit(|_| {
            RateLimitLayer::new(100, Duration::from_secs(60))
                .burst(10)
                .account("live")
                .learn(Learning::Off)
                .queue(1_000)
                .in_flight(77)
                .max_wait(Duration::from_secs(20))
                .forget_after(Duration::from_secs(45))
                .pause_cap(Duration::from_secs(30))
        })
        .bulkhead(|bulkhead| {
            bulkhead
                .concurrency(24)
                .queue(3)
                .queue_wait(Duration::from_secs(2))
                .adaptive(Adaptive::gradient().min(2).max(99).decrease(Ratio::percent(70)))
        })
        .timeout(|timeout| {
            timeout
                .attempt(Duration::from_secs(6))
                .response_head(Duration::from_secs(5))
                .upload_stall(Duration::from_secs(4))
                .send_on(HeaderName::from_static("x-timeout-ms"))
        })
        .token(
            TokenLayer::disabled()
                .fetch_timeout(Duration::from_secs(4))
                .margin(Duration::from_secs(14))
                .renew_ahead(Duration::from_secs(24))
                .serve_expired(Duration::from_secs(34)),
        )
        .drift(
            DriftLayer::new()
                .notice_header(HeaderName::from_static("x-api-warn"))
                .shapes(ShapeConfig::new().answers(30)),
        )
        .fault_injection(|fault_injection| {
            fault_injection.allow().header(HeaderName::from_static("x-fault")).plan(plan)
        })
        .hyper(|client| {
            client
                .connect_timeout(Duration::from_millis(900))
                .acquire_timeout(Duration::from_millis(800))
                .max_connections_per_host(7)
                .pool_max_idle_per_host(3)
                .pool_idle_timeout(Duration::from_secs(12))
                .time_to_live(Duration::from_secs(120))
        })
}

#[test]
fn the_presets_come_back() {
    for preset in presets() {
        comes_back(&preset.clone().build().unwrap(), preset);
    }
}

#[test]
fn settings_that_are_all_different_come_back() {
    for preset in presets() {
        let built = changed(preset.clone()).build().unwrap();
        let (before, after) = (leaves(&preset.clone().build().unwrap()), leaves(&built));
        let same: Vec<_> = after.iter().filter(|leaf| before.contains(leaf)).collect();
        let is_left = |leaf: &str| LEFT.iter().any(|left| leaf.starts_with(left));
        let forgotten: Vec<_> = same.into_iter().filter(|leaf| !is_left(leaf)).collect();
        assert_eq!(forgotten, [""; 0], "is a new setting read back?");
        comes_back(&built, preset);
    }
}

#[test]
fn other_ways_to_say_it_come_back() {
    let ways: [fn(Builder) -> Builder; 15] = [
        |preset| preset.retry(|retry| retry.backoff(Backoff::fixed(Duration::from_secs(1)))),
        |preset| {
            let delays = [0, 1, 5].map(Duration::from_secs);
            preset.retry(|retry| retry.backoff(Backoff::schedule(delays).jitter(Jitter::Equal)))
        },
        |preset| {
            let [base, step, cap] = [2, 3, 60].map(Duration::from_secs);
            let around = Jitter::scale(Ratio::per_million(123), Ratio::percent(200));
            preset.retry(|retry| retry.backoff(Backoff::linear(base, step, cap).jitter(around)))
        },
        |preset| {
            let around = Jitter::scale(Ratio::percent(50), Ratio::percent(150));
            let fixed = Backoff::fixed(Duration::from_secs(1)).jitter(around);
            preset.retry(|retry| retry.backoff(fixed))
        },
        |preset| {
            let fixed = Backoff::fixed(Duration::from_secs(1)).cap(Duration::from_millis(800));
            preset.retry(|retry| retry.backoff(fixed))
        },
        |preset| preset.retry(|retry| retry.budget(RetryBudget::unlimited())),
        |preset| preset.retry(RetryLayer::unlimited_attempts),
        |preset| {
            let budget = RetryBudget::under_way(Ratio::per_million(123_456), 7);
            preset.retry(|retry| retry.budget(budget))
        },
        |preset| preset.retry(|retry| retry.when_budget_is_empty(EmptyBudget::Fail)),
        |preset| preset.hedge(HedgeLayer::after(Duration::from_millis(700))),
        |preset| preset.without_breaker(),
        |preset| preset.breaker(|breaker| breaker.window(Duration::from_secs(99))),
        |preset| preset.breaker(|b| b.without_failure_rate().consecutive(Consecutive::Always(4))),
        |preset| preset.without_rate_limit().without_bulkhead().without_idle_timeout(),
        |preset| preset.bulkhead(|bulkhead| bulkhead.adaptive(Adaptive::aimd())),
    ];
    for preset in presets() {
        for way in ways {
            // A job's attempts are too long for the breaker's usual window.
            let preset = preset.clone().timeout(|timeout| timeout.attempt(Duration::from_secs(7)));
            comes_back(&way(preset.clone()).build().unwrap(), preset);
        }
    }
}

#[test]
fn the_longest_and_the_shortest_come_back() {
    let ends = [Duration::MAX, Duration::new(u64::MAX, 0), Duration::from_nanos(1)];
    for end in ends {
        let preset = Integration::user_flow("x").without_breaker();
        let built = preset
            .clone()
            .idle_timeout(end)
            .retry(|retry| retry.retry_after_cap(end).body_cap(usize::MAX).max_attempts(u32::MAX))
            .retry(|retry| retry.budget(RetryBudget::unlimited()));
        comes_back(&built.build().unwrap(), preset);
    }
}

/// Every setting as `path value`.
fn leaves(of: &Integration) -> Vec<String> {
    fn collect(value: &serde_json::Value, path: &str, into: &mut Vec<String>) {
        match value.as_object() {
            Some(table) => table.iter().for_each(|(key, value)| {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{key}"), into);
            }),
            None => into.push(format!("{path} {value}")),
        }
    }
    let mut leaves = Vec::new();
    collect(&serde_json::to_value(of.config()).unwrap(), "", &mut leaves);
    leaves
}

/// What is as it was: a part of another setting, or tested elsewhere.
const LEFT: [&str; 12] = [
    "preset ",
    "mirror.",
    "fallback.",
    "idempotency.header ",
    "idempotency.key_source ",
    "retry.rejections ",
    "retry.when_budget_is_empty ",
    "hedge.after ",
    "rate_limit.on_limit ",
    "circuit_breaker.enabled true",
    "circuit_breaker.consecutive_below_minimum ",
    "circuit_breaker.when_open \"hold\"",
];

#[test]
fn former_names_of_settings_still_work() {
    let former = "idempotency = { longest = 64, minting = 'always' }\nrate_limit.excess = 'shape'\nrehearsal.allow = true";
    let present = "idempotency = { max_len = 64, key_source = 'caller-or-generated' }\nrate_limit.on_limit = 'shape'\nfault_injection.allow = true";
    assert_eq!(crate::call::config(former), crate::call::config(present));
}
