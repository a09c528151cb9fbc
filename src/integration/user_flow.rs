//! The preset for calls that a person waits for: seconds in total, at most one retry, refusal
//! instead of queues.

use std::time::Duration;

use super::slots::{AnyPlacement, Slots};
use super::target::Target;
use super::users::Users;
use crate::Ratio;
use crate::backoff::Backoff;
use crate::bulkhead::BulkheadLayer;
use crate::cache::CacheLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::correlation::CorrelationLayer;
use crate::deadline::DeadlineLayer;
use crate::drift::DriftLayer;
use crate::fallback::FallbackLayer;
use crate::fault_injection::FaultInjectionLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::{IdempotencyLayer, KeySource};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::rate_limit::RateLimitLayer;
use crate::retry::RetryLayer;
use crate::sign::SignLayer;
use crate::timeout::TimeoutLayer;
use crate::token::TokenLayer;
use crate::validate::ValidateLayer;

pub(super) fn slots() -> Slots {
    let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_millis(500));
    Slots {
        correlation: CorrelationLayer::new(),
        fallback: FallbackLayer::disabled(),
        deadline: DeadlineLayer::new(Duration::from_secs(8)),
        cache: CacheLayer::disabled(),
        kill_switch: KillSwitchLayer::new(),
        mirror: MirrorLayer::new(Target::default(), Ratio::ZERO).without_target(),
        idempotency: AnyPlacement::of(IdempotencyLayer::default().key_source(KeySource::Caller)),
        retry: RetryLayer::new()
            .max_attempts(2)
            .backoff(backoff)
            .without_retry_after_cap()
            .preset_budget(Ratio::percent(20), 10),
        hedge: HedgeLayer::disabled(),
        // Its defaults are this preset's values.
        circuit_breaker: CircuitBreakerLayer::new(),
        rate_limit: RateLimitLayer::learning().max_wait(Duration::from_millis(500)),
        bulkhead: BulkheadLayer::new(64),
        timeout: TimeoutLayer::new().attempt(Duration::from_secs(3)),
        token: TokenLayer::disabled(),
        sign: SignLayer::disabled(),
        validate: ValidateLayer::new(),
        drift: DriftLayer::disabled(),
        idle_timeout: IdleTimeoutLayer::new(Duration::from_secs(3)),
        fault_injection: FaultInjectionLayer::new(),
        around_call: Users::default(),
        around_attempt: Users::default(),
        connect: Duration::from_secs(1),
    }
}
