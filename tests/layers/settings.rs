//! Settings that can't work are refused, each by its name and with what to do.

use std::borrow::Cow;
use std::time::Duration;

use outrigger::backoff::{Backoff, Jitter};
use outrigger::bulkhead::{Adaptive, BulkheadLayer, Limit, Priority};
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive, Mode};
use outrigger::deadline::DeadlineLayer;
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::timeout::TimeoutLayer;
use outrigger::{ConfigError, Ratio, ValidationError};

use crate::clock::{millis, secs};

const ZERO: Duration = Duration::ZERO;
const NEVER: Ratio = Ratio::ZERO;

/// One mistake is found, by this name, and its text says this of it and of what to do.
#[track_caller]
fn refuses(checked: Result<(), ConfigError>, field: &str, says: &[&str]) {
    let error = checked.expect_err("it can't work");
    let [mistake] = error.errors() else { panic!("more than one mistake: {error}") };
    assert_eq!(mistake.field(), field, "{error}");
    for part in says {
        assert!(mistake.problem().contains(part), "{part:?} is not in {:?}", mistake.problem());
    }
    let whole = format!("1 setting can't work: {field}: {}", mistake.problem());
    assert_eq!(error.to_string(), whole);
}

/// A limit of no time at all.
#[track_caller]
fn refuses_zero(checked: Result<(), ConfigError>, field: &str) {
    refuses(checked, field, &["zero", "give it a duration", "unset"]);
}

fn retry(backoff: Backoff) -> Result<(), ConfigError> {
    RetryLayer::new().backoff(backoff).check()
}

fn budget(budget: RetryBudget) -> Result<(), ConfigError> {
    RetryLayer::new().budget(budget).check()
}

fn breaker() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
}

#[test]
fn the_defaults_of_every_layer_can_work() {
    let checks = [
        DeadlineLayer::inherited().check(),
        DeadlineLayer::new(secs(8)).check(),
        TimeoutLayer::new().check(),
        IdleTimeoutLayer::unlimited().check(),
        IdleTimeoutLayer::new(secs(3)).check(),
        IdempotencyLayer::default().check(),
        RetryLayer::new().check(),
        breaker().check(),
        CircuitBreakerLayer::disabled().check(),
        BulkheadLayer::new(1).check(),
        BulkheadLayer::unlimited().check(),
        FaultInjectionLayer::new().check(),
        FaultInjectionLayer::new().allow().plan(Plan::new()).check(),
        MirrorLayer::new((), NEVER).check(),
        BulkheadLayer::new(16).adaptive(Adaptive::aimd()).check(),
        BulkheadLayer::new(16).adaptive(Adaptive::gradient()).check(),
        BulkheadLayer::shared(Limit::new(1), Priority::High).check(),
        BulkheadLayer::shared(Limit::new(16).adaptive(Adaptive::aimd()), Priority::Low).check(),
    ];
    for (at, check) in checks.into_iter().enumerate() {
        assert_eq!(check, Ok(()), "number {at}");
    }
}

#[test]
fn a_limit_of_zero_is_refused_wherever_it_is_set() {
    refuses_zero(MirrorLayer::new((), NEVER).limit(ZERO).check(), "mirror.limit");
    refuses_zero(DeadlineLayer::new(ZERO).check(), "deadline.limit");
    refuses_zero(IdleTimeoutLayer::new(ZERO).check(), "idle_timeout.limit");
    let timeout = TimeoutLayer::new;
    refuses_zero(timeout().attempt(ZERO).check(), "timeout.attempt");
    refuses_zero(timeout().response_head(ZERO).check(), "timeout.response_head");
    refuses_zero(timeout().upload_stall(ZERO).check(), "timeout.upload_stall");
    refuses_zero(RetryLayer::new().max_elapsed(ZERO).check(), "retry.max_elapsed");
    refuses_zero(breaker().probe_limit(ZERO).check(), "circuit_breaker.probe_limit");
    let queued = BulkheadLayer::new(1).queue(1);
    refuses_zero(queued.queue_wait(ZERO).check(), "bulkhead.queue_wait");
    let forgetful = KeyProfile::stripe().lifetime(ZERO);
    refuses_zero(IdempotencyLayer::new(forgetful).check(), "idempotency.profile.lifetime");
}

#[test]
fn the_shortest_limit_is_still_a_limit() {
    let short = Duration::from_nanos(1);
    assert_eq!(DeadlineLayer::new(short).check(), Ok(()));
    assert_eq!(IdleTimeoutLayer::new(short).check(), Ok(()));
    let all = TimeoutLayer::new().attempt(short).response_head(short).upload_stall(short);
    assert_eq!(all.check(), Ok(()));
}

#[test]
fn a_response_head_over_its_attempt_is_refused() {
    let head = |limit| TimeoutLayer::new().attempt(secs(3)).response_head(limit).check();
    let says = ["3.001s", "3s", "lower it or raise the attempt"];
    refuses(head(millis(3_001)), "timeout.response_head", &says);
    assert_eq!(head(secs(3)), Ok(()));
    assert_eq!(TimeoutLayer::new().response_head(secs(60)).check(), Ok(()), "without an attempt");
}

#[test]
fn a_profile_whose_keys_hold_no_uuid_is_refused() {
    let longest =
        |characters| IdempotencyLayer::new(KeyProfile::stripe().max_len(characters)).check();
    refuses(longest(35), "idempotency.profile.max_len", &["35 characters", "allow at least"]);
    refuses(longest(0), "idempotency.profile.max_len", &["0 characters", "allow at least"]);
    assert_eq!(longest(38), Ok(()));
    let quoted = IdempotencyLayer::new(KeyProfile::ietf().max_len(37)).check();
    refuses(quoted, "idempotency.profile.max_len", &["37 characters", "38"]);
    let profiles =
        [KeyProfile::ietf(), KeyProfile::adyen(), KeyProfile::paypal(), KeyProfile::square()];
    for profile in profiles {
        assert_eq!(IdempotencyLayer::new(profile).check(), Ok(()));
    }
}

#[test]
fn a_bare_key_needs_no_room_for_quotes() {
    let layer = IdempotencyLayer::new(KeyProfile::stripe().max_len(36));
    assert_eq!(layer.check(), Ok(()), "which is what a uuid needs");
}

#[test]
fn retrying_without_any_attempt_is_refused() {
    let layer = RetryLayer::new().max_attempts(0);
    refuses(layer.check(), "retry.max_attempts", &["the first counts", "use 1"]);
    assert_eq!(RetryLayer::new().max_attempts(1).check(), Ok(()));
}

#[test]
fn a_retry_after_that_is_never_waited_out_is_refused() {
    let layer = RetryLayer::new().retry_after_cap(ZERO);
    refuses(layer.check(), "retry.retry_after_cap", &["no `Retry-After`", "give it a duration"]);
    assert_eq!(RetryLayer::new().without_retry_after_cap().check(), Ok(()));
}

#[test]
fn a_backoff_that_does_not_grow_or_wait_is_refused() {
    let exponential = |base, cap| Backoff::exponential(base, cap);
    let reversed = exponential(secs(2), secs(1));
    let says = ["2s", "1s", "lower the base or raise the cap"];
    refuses(retry(reversed), "retry.backoff", &says);
    refuses(retry(exponential(ZERO, secs(1))), "retry.backoff", &["base is zero", "schedule"]);
    for factor in [0.0, 0.99, -2.0, f64::NAN, f64::INFINITY] {
        let shrinking = exponential(millis(100), secs(1)).factor(factor);
        refuses(retry(shrinking), "retry.backoff", &["factor", "from 1 on"]);
    }
    let reversed = Backoff::linear(secs(2), secs(1), secs(1));
    refuses(retry(reversed), "retry.backoff", &says);
    let level = Backoff::linear(secs(1), ZERO, secs(2));
    refuses(retry(level), "retry.backoff.step", &["zero", "fixed delay"]);
    refuses(retry(Backoff::fixed(ZERO)), "retry.backoff", &["zero", "give it a delay"]);
    refuses(retry(Backoff::schedule([])), "retry.backoff", &["empty", "at least one delay"]);
}

#[test]
fn a_cap_that_leaves_nothing_of_a_delay_is_refused_like_a_delay_of_nothing() {
    assert!(retry(Backoff::fixed(secs(1)).cap(ZERO)).is_err());
    assert!(retry(Backoff::linear(ZERO, secs(1), ZERO)).is_err());
    assert!(retry(Backoff::schedule([secs(1), secs(5)]).cap(ZERO)).is_err());
}

#[test]
fn factors_that_are_reversed_or_leave_nothing_of_a_delay_are_refused() {
    let scaled = |low, high| {
        let jitter = Jitter::scale(Ratio::percent(low), Ratio::percent(high));
        retry(Backoff::exponential(millis(50), millis(500)).jitter(jitter))
    };
    refuses(scaled(150, 50), "retry.backoff.jitter", &["150%", "50%", "swap them"]);
    refuses(scaled(0, 0), "retry.backoff.jitter", &["0%", "raise it"]);
    for (low, high) in [(0, 1), (50, 150), (100, 100), (100, 400), (120, 130)] {
        assert_eq!(scaled(low, high), Ok(()));
    }
}

#[test]
fn backoffs_that_can_work_are_taken() {
    let exponential = Backoff::exponential(millis(50), millis(500));
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::Decorrelated, Jitter::None] {
        assert_eq!(retry(exponential.clone().jitter(jitter)), Ok(()));
    }
    assert_eq!(retry(exponential.factor(1.0)), Ok(()));
    assert_eq!(retry(Backoff::exponential(secs(1), secs(1))), Ok(()));
    assert_eq!(retry(Backoff::linear(millis(50), millis(50), millis(500))), Ok(()));
    assert_eq!(retry(Backoff::linear(ZERO, secs(1), secs(5))), Ok(()));
    assert_eq!(retry(Backoff::fixed(millis(1))), Ok(()));
    assert_eq!(retry(Backoff::schedule([0, 1, 5, 30, 300].map(secs))), Ok(()));
}

#[test]
fn a_budget_that_never_or_always_allows_a_retry_is_refused() {
    let none = RetryBudget::new(Ratio::percent(10), 0).burst(0);
    refuses(budget(none), "retry.budget", &["burst", "floor", "raise one"]);
    let unlimited = RetryBudget::new(Ratio::percent(10), 3).floor_period(ZERO);
    refuses(budget(unlimited), "retry.budget.floor_period", &["unlimited", "give it a duration"]);
    assert_eq!(budget(RetryBudget::new(NEVER, 1).burst(0)), Ok(()));
    assert_eq!(budget(RetryBudget::new(Ratio::percent(1), 0).burst(1)), Ok(()));
    assert_eq!(budget(RetryBudget::unlimited()), Ok(()));
}

#[test]
fn more_attempts_than_the_budget_can_ever_pay_for_are_refused() {
    let check = |attempts, limit, budget| {
        RetryLayer::new().max_attempts(attempts).max_elapsed(limit).budget(budget).check()
    };
    // 20 that are saved up, and ten in each period that begins.
    for (limit, most) in [(secs(8), 31), (secs(10), 31), (secs(11), 41), (secs(60), 81)] {
        assert_eq!(check(most, limit, RetryBudget::default()), Ok(()), "{limit:?}");
        let (attempts, retries) = (most + 1, most - 1);
        let refused = check(attempts, limit, RetryBudget::default());
        let says = [format!("{attempts} attempts"), format!("{retries} retries within {limit:?}")];
        let says = [&*says[0], &*says[1], &format!("use at most {most}"), "burst or floor"];
        refuses(refused, "retry.max_attempts", &says);
    }
    let few = || RetryBudget::new(Ratio::ZERO, 0).burst(4);
    assert_eq!(RetryLayer::new().max_attempts(5).budget(few()).check(), Ok(()));
    let refused = RetryLayer::new().max_attempts(6).budget(few()).check();
    refuses(refused, "retry.max_attempts", &["6 attempts", "4 retries: use at most 5"]);
    // In time enough, the floor pays for any number, or other calls do.
    assert_eq!(RetryLayer::new().max_attempts(1_000).check(), Ok(()));
    let by_others = RetryBudget::new(Ratio::percent(1), 0).burst(1);
    assert_eq!(RetryLayer::new().max_attempts(1_000).budget(by_others).check(), Ok(()));
    assert_eq!(check(1_000, secs(8), RetryBudget::unlimited()), Ok(()));
    assert_eq!(check(1_000, secs(8), RetryBudget::under_way(Ratio::ZERO, 1)), Ok(()));
    assert_eq!(RetryLayer::new().unlimited_attempts().max_elapsed(secs(8)).check(), Ok(()));
}

#[test]
fn a_budget_by_what_is_under_way_that_never_allows_a_retry_is_refused() {
    let none = RetryBudget::under_way(Ratio::ZERO, 0);
    refuses(budget(none), "retry.budget", &["share", "least", "raise one"]);
    assert_eq!(budget(RetryBudget::under_way(Ratio::ZERO, 1)), Ok(()));
    assert_eq!(budget(RetryBudget::under_way(Ratio::percent(1), 0)), Ok(()));
}

#[test]
fn a_bulkhead_without_a_place_is_refused() {
    let says = ["nothing through", "at least one", "unlimited"];
    refuses(BulkheadLayer::new(0).check(), "bulkhead.concurrency", &says);
    assert_eq!(BulkheadLayer::new(1).queue_wait(ZERO).check(), Ok(()), "nobody waits there");
}

#[test]
fn a_breaker_that_can_never_open_is_refused() {
    let ruleless = breaker().without_failure_rate().without_consecutive();
    refuses(ruleless.check(), "circuit_breaker.rules", &["never open", "set a failure rate"]);
    let over = breaker().failure_rate(Ratio::percent(101), 20);
    refuses(over.check(), "circuit_breaker.failure_rate", &["101%", "at most 100%"]);
    let over = breaker().slow_calls(secs(1), Ratio::percent(101));
    refuses(over.check(), "circuit_breaker.slow_calls", &["101%", "at most 100%"]);
    let narrow = breaker().failure_rate(Ratio::percent(80), 20).window_of_calls(19);
    refuses(narrow.check(), "circuit_breaker.minimum", &["20", "19", "widen the window"]);
    let few = breaker().window_of_calls(9).failures(10);
    refuses(few.check(), "circuit_breaker.failures", &["10", "9 calls", "widen the window"]);
    let row = breaker().without_failure_rate().consecutive(Consecutive::BelowMinimum(20));
    let says = ["20 in a row", "lower it", "however many calls"];
    refuses(row.check(), "circuit_breaker.consecutive", &says);
    refuses(breaker().window(ZERO).check(), "circuit_breaker.window", &["give it a length"]);
    let nothing = breaker().window_of_calls(0).minimum(0).check().unwrap_err();
    let fields: Vec<_> = nothing.errors().iter().map(ValidationError::field).collect();
    assert_eq!(fields, ["circuit_breaker.window", "circuit_breaker.minimum"]);
}

#[test]
fn a_breaker_that_would_hold_more_than_memory_is_refused() {
    let endless = breaker().window_of_calls(u32::MAX).check();
    refuses(endless, "circuit_breaker.window", &["4294967295", "1000000", "hold fewer"]);
    breaker().window_of_calls(1_000_000).check().unwrap();
}

#[test]
fn a_breaker_that_opens_on_every_call_is_refused() {
    let never = breaker().failure_rate(NEVER, 20);
    refuses(never.check(), "circuit_breaker.failure_rate", &["0%", "more than zero"]);
    let never = breaker().slow_calls(ZERO, Ratio::ONE);
    refuses(never.check(), "circuit_breaker.slow_calls", &["every call", "give it a duration"]);
    let never = breaker().slow_calls(secs(1), NEVER);
    refuses(never.check(), "circuit_breaker.slow_calls", &["0%", "more than zero"]);
    for none in [Consecutive::Always(0), Consecutive::BelowMinimum(0)] {
        let says = ["zero in a row", "at least one"];
        refuses(breaker().consecutive(none).check(), "circuit_breaker.consecutive", &says);
    }
    refuses(breaker().failures(0).check(), "circuit_breaker.failures", &["at least one"]);
    refuses(breaker().minimum(0).check(), "circuit_breaker.minimum", &["at least one", "use 1"]);
}

#[test]
fn a_breaker_that_can_not_reject_or_recover_is_refused() {
    let never = breaker().open_for(ZERO, secs(60));
    refuses(never.check(), "circuit_breaker.open_for", &["never rejects", "give it a duration"]);
    let never = breaker().open_times([secs(1), ZERO]);
    refuses(
        never.check(),
        "circuit_breaker.open_times",
        &["never rejects", "give each a duration"],
    );
    let reversed = breaker().open_for(secs(61), secs(60));
    let says = ["61s", "60s", "lower the base or raise the cap"];
    refuses(reversed.check(), "circuit_breaker.open_for", &says);
    for growth in [0.5, f64::NAN, f64::INFINITY] {
        refuses(
            breaker().open_growth(growth).check(),
            "circuit_breaker.open_growth",
            &["from 1 on"],
        );
    }
    let wide = breaker().open_jitter(Ratio::percent(101));
    refuses(wide.check(), "circuit_breaker.open_jitter", &["101%", "100%"]);
    for (probes, successes) in [(0, 0), (1, 0), (0, 1), (2, 3)] {
        let layer = breaker().probes(probes, successes);
        refuses(layer.check(), "circuit_breaker.probes", &["let at least one through"]);
    }
    let keyed = breaker().keyed(0, secs(60), |_| Cow::Borrowed("one"));
    refuses(keyed.check(), "circuit_breaker.keyed.most", &["keep at least one"]);
}

#[test]
fn breakers_that_can_work_are_taken() {
    let row = |consecutive| breaker().without_failure_rate().consecutive(consecutive);
    let layers = [
        row(Consecutive::Always(1)),
        row(Consecutive::BelowMinimum(19)),
        breaker().window_of_calls(20),
        breaker().failure_rate(Ratio::ONE, 1).window_of_calls(1),
        breaker().without_failure_rate().slow_calls(secs(1), Ratio::ONE),
        breaker().open_for(secs(60), secs(60)).open_growth(1.0).open_jitter(Ratio::ONE),
        breaker().probes(1, 1),
        breaker().mode(Mode::ReportOnly),
        breaker().keyed(1, ZERO, |_| Cow::Borrowed("one")),
    ];
    for (at, layer) in layers.into_iter().enumerate() {
        assert_eq!(layer.check(), Ok(()), "number {at}");
    }
}

#[test]
fn a_fault_injection_that_nobody_allowed_is_refused() {
    let says = ["not allowed", "allow it on the layer", "unset"];
    refuses(FaultInjectionLayer::new().plan(Plan::new()).check(), "fault_injection.plan", &says);
    let header = http::HeaderName::from_static("x-fault");
    let by_request = FaultInjectionLayer::new().header(header);
    refuses(by_request.check(), "fault_injection.header", &says);
    assert_eq!(by_request.allow().check(), Ok(()));
}

#[test]
fn a_plan_that_can_not_work_is_refused() {
    let plan = |plan: Plan| FaultInjectionLayer::new().allow().plan(plan).check();
    let half = Ratio::percent(50);
    let unavailable = http::StatusCode::SERVICE_UNAVAILABLE;
    let over = Plan::new().hang(half).reset(half).status(Ratio::per_million(1), unavailable);
    refuses(plan(over), "fault_injection.plan.shares", &["100.0001%", "100% together"]);
    assert_eq!(plan(Plan::new().hang(half).status(half, unavailable)), Ok(()));
    let reversed = Plan::new().latency(half, secs(2), secs(1));
    refuses(plan(reversed), "fault_injection.plan.latency", &["2s is over 1s", "turn them round"]);
    let over = Plan::new().latency(Ratio::percent(101), secs(1), secs(2));
    refuses(plan(over), "fault_injection.plan.latency", &["101%", "100% at most"]);
    refuses(
        plan(Plan::new().latency(half, ZERO, ZERO)),
        "fault_injection.plan.latency",
        &["give it a duration"],
    );
    assert_eq!(plan(Plan::new().latency(Ratio::ONE, ZERO, secs(1))), Ok(()));
    refuses(
        plan(Plan::new().slow_body(half, ZERO)),
        "fault_injection.plan.slow_body",
        &["give it a duration"],
    );
    let over = Plan::new().slow_body(Ratio::percent(101), secs(1));
    refuses(plan(over), "fault_injection.plan.slow_body", &["101%", "100% at most"]);
    let early = Plan::new().status(half, http::StatusCode::EARLY_HINTS);
    refuses(plan(early), "fault_injection.plan.status", &["103", "from 200 on"]);
    let all = Plan::new().hang(Ratio::percent(u32::MAX)).reset(Ratio::per_million(u32::MAX));
    assert!(plan(all.slow_body(Ratio::per_million(u32::MAX), ZERO)).is_err(), "and no overflow");
}

#[test]
fn a_mirror_without_a_place_or_of_more_than_all_is_refused() {
    let mirror = |share| MirrorLayer::new((), share);
    let says = ["101%", "100% at most"];
    refuses(mirror(Ratio::percent(101)).check(), "mirror.share", &says);
    let says = ["at least one", "share to zero"];
    refuses(mirror(NEVER).concurrency(0).check(), "mirror.concurrency", &says);
    assert_eq!(mirror(Ratio::ONE).concurrency(1).body_cap(0).check(), Ok(()));
}

#[test]
fn all_mistakes_of_a_layer_are_named_at_once() {
    let layer = RetryLayer::new()
        .max_attempts(0)
        .max_elapsed(ZERO)
        .backoff(Backoff::exponential(secs(2), secs(1)).factor(0.5))
        .budget(RetryBudget::new(NEVER, 0).burst(0).floor_period(ZERO));
    let error = layer.check().unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(ValidationError::field).collect();
    let expected = [
        "retry.max_attempts",
        "retry.max_elapsed",
        "retry.backoff",
        "retry.backoff",
        "retry.budget.floor_period",
        "retry.budget",
    ];
    assert_eq!(fields, expected);
    let text = error.to_string();
    assert!(text.starts_with("6 settings can't work: retry.max_attempts: "), "{text}");
    for mistake in error.errors() {
        assert!(text.contains(&mistake.to_string()), "{mistake} is not in {text}");
    }
    let zero = TimeoutLayer::new().attempt(ZERO).response_head(ZERO).upload_stall(ZERO);
    assert_eq!(zero.check().unwrap_err().errors().len(), 3);
}

#[test]
fn a_shared_limit_that_lets_nothing_through_is_refused() {
    let shared = |limit| BulkheadLayer::shared(limit, Priority::Low).check();
    refuses(shared(Limit::new(0)), "bulkhead.limit", &["zero places", "allow at least one"]);
    let all = Limit::new(9).reserve(Ratio::percent(100));
    refuses(shared(all), "bulkhead.limit.reserve", &["all places", "leave some"]);
    assert_eq!(shared(Limit::new(9).reserve(Ratio::ZERO)), Ok(()));
    let queued = BulkheadLayer::shared(Limit::new(1).queue(1), Priority::High);
    refuses_zero(queued.queue_wait(ZERO).check(), "bulkhead.queue_wait");
}

#[test]
fn what_is_the_shared_limits_to_set_is_refused_on_the_bulkhead() {
    let shared = || BulkheadLayer::shared(Limit::new(4), Priority::High);
    let says = ["the shared limit's", "set it there"];
    refuses(shared().queue(3).check(), "bulkhead.queue", &says);
    refuses(shared().adaptive(Adaptive::aimd()).check(), "bulkhead.adaptive", &says);
    // What a preset set before is simply replaced.
    let preset = BulkheadLayer::new(16).queue(64).limit(Limit::new(4), Priority::Low);
    assert_eq!(preset.check(), Ok(()));
}

#[test]
fn adaptive_bounds_that_hold_nothing_are_refused() {
    let of = |adaptive| BulkheadLayer::new(10).adaptive(adaptive).check();
    let aimd = Adaptive::aimd;
    refuses(of(aimd().min(0)), "bulkhead.adaptive.min", &["zero places", "allow at least one"]);
    refuses(of(aimd().min(9).max(8)), "bulkhead.adaptive.max", &["8", "9", "raise it"]);
    refuses(of(aimd().min(11)), "bulkhead.adaptive.min", &["begins with 10", "11 to 200"]);
    refuses(of(aimd().max(9)), "bulkhead.adaptive.max", &["begins with 10", "1 to 9"]);
    let says = ["no decrease", "between none and all"];
    for factor in [Ratio::ZERO, Ratio::ONE] {
        refuses(of(Adaptive::gradient().decrease(factor)), "bulkhead.adaptive.decrease", &says);
    }
    assert_eq!(of(aimd().min(10).max(10)), Ok(()));
    let unlimited = BulkheadLayer::unlimited().adaptive(aimd()).check();
    refuses(unlimited, "bulkhead.adaptive", &["no limit that could move", "to begin with"]);
    let limit = Limit::new(10).adaptive(aimd().max(9));
    let shared = BulkheadLayer::shared(limit, Priority::High).check();
    refuses(shared, "bulkhead.limit.adaptive.max", &["begins with 10"]);
}
