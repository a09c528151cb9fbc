//! Nobody waits: clock time is the limit, and while nothing answers, jobs wait and one probes.

use std::time::Duration;

use super::slots::{AnyPlacement, Slots};
use super::target::Target;
use super::users::Users;
use crate::Ratio;
use crate::backoff::Backoff;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::{CircuitBreakerLayer, WhenOpen};
use crate::correlation::CorrelationLayer;
use crate::deadline::DeadlineLayer;
use crate::fallback::FallbackLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::{IdempotencyLayer, Minting};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::rate_limit::{Excess, RateLimitLayer};
use crate::rehearsal::RehearsalLayer;
use crate::retry::{EmptyBudget, Rejections, RetryLayer};
use crate::timeout::TimeoutLayer;

pub(super) fn slots() -> Slots {
    let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60));
    Slots {
        correlation: CorrelationLayer::new(),
        fallback: FallbackLayer::disabled(),
        deadline: DeadlineLayer::new(Duration::from_secs(3600)),
        kill_switch: KillSwitchLayer::new(),
        mirror: MirrorLayer::new(Target::default(), Ratio::ZERO).without_target(),
        idempotency: AnyPlacement::of(IdempotencyLayer::default().minting(Minting::Always)),
        retry: RetryLayer::new()
            .unlimited_attempts()
            .backoff(backoff)
            .without_retry_after_cap()
            .retry_after_spread(Ratio::percent(50))
            .preset_budget(Ratio::ONE, 10)
            .when_budget_is_empty(EmptyBudget::Wait)
            // Who is refused further in comes back when it is said to.
            .rejections(Rejections::Wait),
        hedge: HedgeLayer::disabled(),
        // Opening in error costs a job a second, so ten in a row need no time.
        breaker: CircuitBreakerLayer::new()
            .no_success_for(Duration::ZERO)
            .open_for(Duration::from_secs(1), Duration::from_secs(60))
            .when_open(WhenOpen::Hold),
        rate_limit: RateLimitLayer::learning()
            .excess(Excess::Shape)
            .pause_cap(Duration::from_secs(300)),
        bulkhead: BulkheadLayer::new(16).queue(65_536),
        timeout: TimeoutLayer::new().attempt(Duration::from_secs(30)),
        idle_timeout: IdleTimeoutLayer::new(Duration::from_secs(20)),
        rehearsal: RehearsalLayer::new(),
        around_call: Users::default(),
        around_attempt: Users::default(),
        connect: Duration::from_secs(3),
    }
}
