//! The same checks for every layer, made by one macro.
#![expect(clippy::disallowed_methods, reason = "a test holds the paused clock itself")]

mod barrier;
mod checks;
mod provider;
mod subject;

use std::time::Duration;

use http::{HeaderName, Response};
use outrigger::Ratio;
use outrigger::bulkhead::{Adaptive, BulkheadLayer, Limit, Priority};
use outrigger::cache::CacheLayer;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Mode};
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::drift::DriftLayer;
use outrigger::event::{Emitter, SwitchMode};
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeySource};
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::kill_switch::{KillSwitchLayer, SwitchSetting};
use outrigger::mirror::MirrorLayer;
use outrigger::observe::ObserveLayer;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::sign::{SignError, SignLayer, Signed, SigningInput};
use outrigger::timeout::TimeoutLayer;
use outrigger::token::{Token, TokenLayer};
use outrigger::validate::{Finding, Media, ValidateLayer, function};

use provider::{Fault, Provider};
use subject::{HalfOpen, Nothing, Observed, Slowly};

/// Layers that leave the request's body to the inner service.
macro_rules! contract {
    ($($name:ident: $subject:ty = $make:expr;)*) => {$(
        contract_but_for_the_request_body! {
            $name: $subject = $make;
            #[tokio::test(start_paused = true)]
            async fn a_request_body_of_any_type_is_taken() {
                checks::passing::any_request_body(subject).await;
            }
        }
    )*};
}

/// Layers that take no other request body than `outrigger::Body`.
macro_rules! contract_of_bodies {
    ($($name:ident: $subject:ty = $make:expr;)*) => {$(
        contract_but_for_the_request_body! { $name: $subject = $make; }
    )*};
}

macro_rules! contract_but_for_the_request_body {
    ($name:ident: $subject:ty = $make:expr; $($more:item)*) => {
        mod $name {
            use super::*;

            fn subject() -> $subject {
                $make
            }

            $($more)*

            #[tokio::test(start_paused = true)]
            async fn calls_only_the_instance_that_was_polled_ready() {
                checks::readiness::calls_only_what_is_ready(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn waits_for_an_inner_service_that_is_ready_late() {
                checks::readiness::waits_for_late_readiness(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_clone_of_a_readied_service_is_readied_by_itself() {
                checks::readiness::clones_are_readied_by_themselves(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_readied_clone_holds_nothing() {
                checks::readiness::readied_clones_hold_nothing(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_call_may_be_dropped_after_every_poll() {
                checks::dropping::after_every_poll(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_response_may_be_dropped_without_its_body_being_read() {
                checks::dropping::the_body_unread(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn the_body_announces_its_size_and_its_end() {
                checks::passing::the_body_announces_itself(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn the_request_body_announces_its_size_and_its_end() {
                checks::passing::the_request_body_announces_itself(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_request_passes_with_all_that_is_on_it() {
                checks::passing::the_request_is_kept(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn a_success_passes_unchanged() {
                checks::passing::the_answer_is_kept(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_inner_error_comes_out_as_ours_with_its_source() {
                checks::errors::a_foreign_error(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_error_of_ours_is_not_wrapped_again() {
                checks::errors::an_error_of_ours(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_inner_service_that_never_gets_ready_was_sent_nothing() {
                checks::errors::an_error_while_readying(subject).await;
            }

            #[tokio::test(start_paused = true)]
            async fn an_error_in_the_body_keeps_its_source() {
                checks::errors::an_error_in_the_body(subject).await;
            }
        }
    };
}

contract! {
    correlation: CorrelationLayer = CorrelationLayer::new();
    observe_call: Observed = Observed::new(ObserveLayer::call);
    observe_attempt: Observed = Observed::new(ObserveLayer::attempt);
    observe_unheard: ObserveLayer = ObserveLayer::call(Emitter::new());
    deadline: DeadlineLayer = DeadlineLayer::new(HOUR);
    deadline_inherited: DeadlineLayer = DeadlineLayer::inherited();
    idempotency: IdempotencyLayer = IdempotencyLayer::default();
    idempotency_of_callers: IdempotencyLayer =
        IdempotencyLayer::default().key_source(KeySource::Caller);
    retry: RetryLayer = RetryLayer::new();
    retry_switched_off: RetryLayer = RetryLayer::new()
        .max_attempts(1)
        .budget(RetryBudget::unlimited());
    circuit_breaker: CircuitBreakerLayer = CircuitBreakerLayer::new();
    circuit_breaker_half_open: HalfOpen = HalfOpen::new(CircuitBreakerLayer::new());
    circuit_breaker_keyed: CircuitBreakerLayer = CircuitBreakerLayer::new()
        .keyed(8, HOUR, |head| head.uri.host().unwrap_or_default().into());
    circuit_breaker_reporting: CircuitBreakerLayer =
        CircuitBreakerLayer::new().mode(Mode::ReportOnly);
    circuit_breaker_disabled: CircuitBreakerLayer = CircuitBreakerLayer::disabled();
    bulkhead: BulkheadLayer = BulkheadLayer::new(1);
    bulkhead_with_queue: BulkheadLayer = BulkheadLayer::new(1).queue(1).queue_wait(HOUR);
    bulkhead_unlimited: BulkheadLayer = BulkheadLayer::unlimited();
    bulkhead_shared: BulkheadLayer =
        BulkheadLayer::shared(Limit::new(1).queue(1), Priority::High).queue_wait(HOUR);
    bulkhead_low_priority: BulkheadLayer =
        BulkheadLayer::shared(Limit::new(2).queue(1), Priority::Low).queue_wait(HOUR);
    bulkhead_adaptive_aimd: BulkheadLayer = BulkheadLayer::new(2)
        .queue(1)
        .adaptive(Adaptive::aimd());
    bulkhead_adaptive_gradient: BulkheadLayer = BulkheadLayer::new(2)
        .queue(1)
        .adaptive(Adaptive::gradient());
    timeout: TimeoutLayer = TimeoutLayer::new()
        .attempt(HOUR)
        .response_head(HOUR)
        .upload_stall(HOUR);
    timeout_without_limits: TimeoutLayer = TimeoutLayer::new();
    token: TokenLayer = TokenLayer::new(|_| async { Ok(Token::new("t1")) });
    token_disabled: TokenLayer = TokenLayer::disabled();
    validate_nothing: ValidateLayer = ValidateLayer::new();
    validate_heads: ValidateLayer = ValidateLayer::new().report(Media::json());
    validate_bodies: ValidateLayer =
        ValidateLayer::new().enforce(function("any", |_, _| Finding::pass()));
    validate_beyond_the_cap: ValidateLayer =
        ValidateLayer::new().enforce(function("any", |_, _| Finding::pass())).body_cap(1);
    drift: DriftLayer = DriftLayer::new();
    drift_disabled: DriftLayer = DriftLayer::disabled();
    idle_timeout: IdleTimeoutLayer = IdleTimeoutLayer::new(HOUR);
    idle_timeout_unlimited: IdleTimeoutLayer = IdleTimeoutLayer::unlimited();
    fault_injection: FaultInjectionLayer = FaultInjectionLayer::new();
    fault_injection_allowed: FaultInjectionLayer = FaultInjectionLayer::new().allow();
    fault_injection_by_request: FaultInjectionLayer =
        FaultInjectionLayer::new().allow().header(HeaderName::from_static("x-fault"));
    fault_injection_of_nothing: FaultInjectionLayer = FaultInjectionLayer::new().allow().plan(Plan::new());
    fault_injection_of_latency: FaultInjectionLayer = FaultInjectionLayer::new()
        .allow()
        .plan(Plan::new().latency(Ratio::ONE, MOMENT, MOMENT));
    fault_injection_of_slow_bodies: FaultInjectionLayer = FaultInjectionLayer::new()
        .allow()
        .plan(Plan::new().slow_body(Ratio::ONE, MOMENT));
    kill_switch: KillSwitchLayer = KillSwitchLayer::new();
    kill_switch_no_retries: KillSwitchLayer =
        KillSwitchLayer::new().initially(SwitchSetting::new(SwitchMode::NoRetries));
    fallback: FallbackLayer = FallbackLayer::value(Response::new("rates")).when(|_| false);
    fallback_without_an_answer: FallbackLayer = FallbackLayer::function(|_| None);
    fallback_async: FallbackLayer = FallbackLayer::async_function(|_| async { None });
    fallback_disabled: FallbackLayer = FallbackLayer::disabled();
    rate_limit_learning: RateLimitLayer = RateLimitLayer::learning();
    rate_limit_set: RateLimitLayer = RateLimitLayer::new(1_000_000, SECOND).burst(1_000_000);
    rate_limit_shaping: RateLimitLayer =
        RateLimitLayer::new(1_000_000, SECOND).burst(1_000_000).on_limit(OnLimit::Shape);
    rate_limit_one_at_a_time: RateLimitLayer = RateLimitLayer::learning().in_flight(1);
    rate_limit_unlimited: RateLimitLayer = RateLimitLayer::unlimited();
    hedge_disabled: HedgeLayer = HedgeLayer::disabled();
    hedge_fixed: HedgeLayer = HedgeLayer::after(HOUR);
    hedge_learning: HedgeLayer = HedgeLayer::quantile(Ratio::percent(95));
}

contract_of_bodies! {
    cache_disabled: CacheLayer = CacheLayer::disabled();
    cache_that_keeps_nothing: CacheLayer = CacheLayer::with_store(Nothing);
    sign: SignLayer = SignLayer::new(
        |_: &SigningInput| -> Result<Signed, SignError> { Ok(Signed::default()) },
    );
    sign_slowly: SignLayer = SignLayer::new(Slowly);
    sign_disabled: SignLayer = SignLayer::disabled();
    mirror_of_none: MirrorLayer<Provider> = MirrorLayer::new(Provider::default(), Ratio::ZERO);
    mirror_of_safe_calls: MirrorLayer<Provider> =
        MirrorLayer::new(Provider::default(), Ratio::ONE);
    mirror_of_all: MirrorLayer<Provider> =
        MirrorLayer::new(Provider::default(), Ratio::ONE).choose(|_| true);
    mirror_that_compares: MirrorLayer<Provider> =
        MirrorLayer::new(Provider::default(), Ratio::ONE).choose(|_| true).compare(|_, _| true);
    mirror_of_failures: MirrorLayer<Provider> =
        MirrorLayer::new(Provider::with(Fault::Calling), Ratio::ONE)
            .choose(|_| true)
            .compare(|_, _| panic!("nobody hears of it"));
}

/// Longer than anything here takes.
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
/// Time enough for a timer to be armed.
const MOMENT: Duration = Duration::from_millis(1);
