//! Nobody waits: clock time, many retries, long timeouts, no breaker.

use std::time::Duration;

use super::slots::{AnyPlacement, Slots};
use super::target::Target;
use crate::Ratio;
use crate::backoff::Backoff;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::correlation::CorrelationLayer;
use crate::deadline::DeadlineLayer;
use crate::fallback::FallbackLayer;
use crate::hedge::HedgeLayer;
use crate::idempotency::IdempotencyLayer;
use crate::idle_timeout::IdleTimeoutLayer;
use crate::kill_switch::KillSwitchLayer;
use crate::mirror::MirrorLayer;
use crate::rate_limit::{Excess, RateLimitLayer};
use crate::rehearsal::RehearsalLayer;
use crate::retry::{Rejections, RetryLayer};
use crate::timeout::TimeoutLayer;

pub(super) fn slots() -> Slots {
    let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60));
    Slots {
        correlation: CorrelationLayer::new(),
        fallback: FallbackLayer::disabled(),
        deadline: DeadlineLayer::new(Duration::from_secs(300)),
        kill_switch: KillSwitchLayer::new(),
        mirror: MirrorLayer::new(Target::default(), Ratio::ZERO).without_target(),
        idempotency: AnyPlacement::of(IdempotencyLayer::default()),
        retry: RetryLayer::new()
            .max_attempts(5)
            .backoff(backoff)
            .without_retry_after_cap()
            .retry_after_spread(Ratio::percent(50))
            .preset_budget(Ratio::percent(20), 3)
            // Where a breaker is switched on after all, a job waits for it.
            .rejections(Rejections::Wait),
        hedge: HedgeLayer::disabled(),
        breaker: CircuitBreakerLayer::disabled(),
        rate_limit: RateLimitLayer::learning()
            .excess(Excess::Shape)
            .pause_cap(Duration::from_secs(300)),
        bulkhead: BulkheadLayer::new(16).queue(64).queue_wait(Duration::from_secs(30)),
        timeout: TimeoutLayer::new().attempt(Duration::from_secs(30)),
        idle_timeout: IdleTimeoutLayer::new(Duration::from_secs(20)),
        rehearsal: RehearsalLayer::new(),
        connect: Duration::from_secs(3),
    }
}
