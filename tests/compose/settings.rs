//! Settings that can't work are refused when the integration is built, all of them at once.

use std::time::Duration;

use outrigger::backoff::Backoff;
use outrigger::circuit_breaker::Consecutive;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::integration::OwnClient;
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{ConfigError, Integration, IntegrationBuilder, Ratio, ValidationError};

use crate::call::{millis, seconds};

type Builder = IntegrationBuilder<OwnClient>;

/// The fields that are found to be wrong.
fn wrong(adjust: impl FnOnce(Builder) -> Builder) -> Vec<String> {
    let builder = adjust(Integration::user_flow("crm"));
    let built = builder.service(Script::new([Answer::status(200)])).build();
    let Err(error) = built else {
        return Vec::new();
    };
    let mistakes = error.errors().iter();
    mistakes.map(|mistake| mistake.field().into()).collect()
}

fn fields(error: &ConfigError) -> Vec<&str> {
    error.errors().iter().map(ValidationError::field).collect()
}

#[test]
fn both_presets_can_work() {
    assert_eq!(wrong(|user_flow| user_flow), [""; 0]);
    let provider = Script::new([Answer::status(200)]);
    assert!(Integration::background("crm").service(provider).build().is_ok());
}

#[test]
fn every_mistake_is_named_at_once_with_the_integration() {
    let error = Integration::user_flow("crm")
        .deadline(seconds(2))
        .retry(|retry| {
            let reversed = Backoff::exponential(seconds(2), seconds(1));
            retry.max_attempts(0).backoff(reversed)
        })
        .breaker(|breaker| breaker.window(seconds(5)).failures(5).probes(1, 2))
        .bulkhead(|bulkhead| bulkhead.concurrency(0))
        .idle_timeout(Duration::ZERO)
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap_err();
    let expected = [
        "retry.max_attempts",
        "retry.backoff",
        "circuit_breaker.probes",
        "bulkhead.concurrency",
        "idle_timeout.limit",
        "timeout.attempt",
        "circuit_breaker.window",
    ];
    assert_eq!(fields(&error), expected);
    let text = error.to_string();
    assert!(text.starts_with("7 settings of integration \"crm\" can't work: "), "{text}");
    for mistake in error.errors() {
        assert!(text.contains(mistake.field()) && text.contains(mistake.problem()));
        assert!(!mistake.problem().is_empty());
    }
}

#[test]
fn an_attempt_over_the_deadline_is_refused() {
    let over = |preset: Builder| preset.deadline(millis(2_999));
    assert_eq!(wrong(over), ["timeout.attempt"]);
    assert_eq!(wrong(|preset| preset.deadline(seconds(3))), [""; 0]);
}

#[test]
fn a_response_head_over_the_attempt_is_refused() {
    let over = |preset: Builder| preset.timeout(|timeout| timeout.response_head(seconds(4)));
    assert_eq!(wrong(over), ["timeout.response_head"]);
}

#[cfg(feature = "hyper")]
#[test]
fn a_connect_limit_over_the_attempt_is_refused() {
    let connect = |limit| {
        let builder = Integration::user_flow("crm");
        builder.hyper(|hyper| hyper.connect_timeout(limit)).build()
    };
    let error = connect(seconds(4)).unwrap_err();
    assert_eq!(error.errors()[0].field(), "hyper.connect_timeout");
    assert!(connect(seconds(3)).is_ok());
    let error = connect(Duration::ZERO).unwrap_err();
    assert_eq!(error.errors().len(), 1, "{error}");
}

#[cfg(feature = "hyper")]
#[test]
fn all_limits_over_a_short_deadline_or_attempt_are_named_at_once() {
    let preset =
        || Integration::user_flow("crm").timeout(|limits| limits.response_head(seconds(2)));
    let hedged = |preset: Builder| preset.hedge(HedgeLayer::after(millis(500)));
    let over = ["timeout.response_head", "hedge.after", "hyper.connect_timeout"];
    let deadline = hedged(preset()).deadline(millis(300)).build().unwrap_err();
    assert_eq!(fields(&deadline), [&["timeout.attempt"], &over[..]].concat());
    let attempt = hedged(preset()).timeout(|limits| limits.attempt(millis(300))).build();
    assert_eq!(fields(&attempt.unwrap_err()), over);
    let both = preset().deadline(millis(300)).timeout(|_| TimeoutLayer::new().attempt(millis(200)));
    let mended = both.hyper(|client| client.connect_timeout(millis(200))).build();
    assert!(mended.is_ok());
}

#[test]
fn a_backoff_whose_base_is_over_its_cap_is_refused() {
    let over = |preset: Builder| {
        preset.retry(|retry| retry.backoff(Backoff::exponential(seconds(2), seconds(1))))
    };
    assert_eq!(wrong(over), ["retry.backoff"]);
}

#[test]
fn a_window_under_two_attempts_is_refused() {
    let window =
        |length| wrong(|preset| preset.breaker(|breaker| breaker.window(length).failures(5)));
    assert_eq!(window(millis(5_999)), ["circuit_breaker.window"]);
    assert_eq!(window(seconds(6)), [""; 0]);
    let longer = |preset: Builder| {
        preset
            .deadline(seconds(60))
            .timeout(|timeout| timeout.attempt(seconds(16)))
            .breaker(|breaker| breaker.failures(5))
    };
    assert_eq!(wrong(longer), ["circuit_breaker.window"]);
    assert_eq!(wrong(|preset| longer(preset).without_breaker()), [""; 0]);
}

#[test]
fn a_breaker_that_can_never_open_is_refused() {
    let breaker = |adjust: fn(outrigger::circuit_breaker::CircuitBreakerLayer) -> _| {
        wrong(|preset| preset.breaker(adjust))
    };
    let ruleless = breaker(|breaker| breaker.without_failure_rate().without_consecutive());
    assert_eq!(ruleless, ["circuit_breaker.rules"]);
    let never = breaker(|breaker| breaker.failure_rate(Ratio::percent(101), 20));
    assert_eq!(never, ["circuit_breaker.failure_rate"]);
    let narrow =
        breaker(|breaker| breaker.window_of_calls(10).failure_rate(Ratio::percent(50), 20));
    assert_eq!(narrow, ["circuit_breaker.minimum"]);
    let row = breaker(|breaker| {
        breaker.without_failure_rate().consecutive(Consecutive::BelowMinimum(20))
    });
    assert_eq!(row, ["circuit_breaker.consecutive"]);
    let never_rejects = breaker(|breaker| breaker.open_for(Duration::ZERO, seconds(60)));
    assert_eq!(never_rejects, ["circuit_breaker.open_for"]);
    let reversed = breaker(|breaker| breaker.open_for(seconds(61), seconds(60)));
    assert_eq!(reversed, ["circuit_breaker.open_for"]);
}

#[test]
fn limits_of_zero_are_refused() {
    let zero = Duration::ZERO;
    let found = wrong(|preset| {
        preset
            .deadline(zero)
            .idempotency(IdempotencyLayer::new(KeyProfile::stripe().lifetime(zero)))
            .retry(|retry| {
                let none = RetryBudget::new(Ratio::ZERO, 0).burst(0);
                retry.max_attempts(0).max_elapsed(zero).budget(none)
            })
            .breaker(|breaker| breaker.window(zero).minimum(0).probes(0, 0).probe_limit(zero))
            .bulkhead(|bulkhead| bulkhead.concurrency(0).queue(1).queue_wait(zero))
            .timeout(|timeout| timeout.attempt(zero).response_head(zero).upload_stall(zero))
            .idle_timeout(zero)
    });
    let expected = [
        "deadline.limit",
        "idempotency.profile.lifetime",
        "retry.max_attempts",
        "retry.max_elapsed",
        "retry.budget",
        "circuit_breaker.window",
        "circuit_breaker.minimum",
        "circuit_breaker.probes",
        "circuit_breaker.probe_limit",
        "bulkhead.concurrency",
        "bulkhead.queue_wait",
        "timeout.attempt",
        "timeout.response_head",
        "timeout.upload_stall",
        "idle_timeout.limit",
    ];
    for field in expected {
        assert!(found.iter().any(|found| found == field), "{field} of {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_durations_mean_never_and_break_nothing() {
    let ever = std::time::Duration::MAX;
    let provider = outrigger::testing::Script::new([
        outrigger::testing::Answer::status(503).header("retry-after", "99999999999999999999")
    ]);
    let rotating = outrigger::transport::rotating::Rotating::new({
        let provider = provider.clone();
        move || Ok::<_, std::io::Error>(provider.clone())
    });
    let crm = outrigger::Integration::user_flow("crm")
        .deadline(ever)
        .breaker(|breaker| {
            let row = outrigger::circuit_breaker::Consecutive::Always(1);
            let now = breaker.consecutive(row).no_success_for(std::time::Duration::ZERO);
            now.open_for(ever, ever).retry_after_cap(ever).probe_limit(ever)
        })
        .retry(|retry| retry.max_attempts(1))
        .timeout(|timeout| timeout.attempt(std::time::Duration::from_secs(3)))
        .idle_timeout(ever)
        .service(rotating.unwrap().time_to_live(ever))
        .build()
        .unwrap();
    let get = || http::Request::get("http://crm.test/").body(()).unwrap();
    assert_eq!(crm.send(get()).await.unwrap().status(), 503);
    assert!(crm.send(get()).await.unwrap_err().is_rejected());
}
