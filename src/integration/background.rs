//! The preset for calls that no person waits for: time is the limit. While the provider doesn't
//! answer, jobs wait and one probes it.

use std::time::Duration;

use super::slots::{AnyPlacement, Slots};
use super::user_flow;
use crate::Ratio;
use crate::backoff::Backoff;
use crate::bulkhead::BulkheadLayer;
use crate::circuit_breaker::{CircuitBreakerLayer, WhenOpen};
use crate::deadline::DeadlineLayer;
use crate::idempotency::{IdempotencyLayer, KeySource};
use crate::idle_timeout::IdleTimeoutLayer;
use crate::rate_limit::{OnLimit, RateLimitLayer};
use crate::retry::{EmptyBudget, Rejections, RetryLayer};
use crate::timeout::TimeoutLayer;

pub(super) fn slots() -> Slots {
    let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(60));
    Slots {
        deadline: DeadlineLayer::new(Duration::from_secs(3600)),
        idempotency: AnyPlacement::of(
            IdempotencyLayer::default().key_source(KeySource::CallerOrGenerated),
        ),
        retry: RetryLayer::new()
            .unlimited_attempts()
            .backoff(backoff)
            .without_retry_after_cap()
            .retry_after_spread(Ratio::percent(50))
            .preset_budget(Ratio::ONE, 10)
            .when_budget_is_empty(EmptyBudget::Wait)
            // A call that an inner layer refuses is retried at the time that the refusal names.
            .rejections(Rejections::Wait),
        // If the breaker opens wrongly, a job loses a second, so ten failures in a row are enough,
        // in any time.
        circuit_breaker: CircuitBreakerLayer::new()
            .no_success_for(Duration::ZERO)
            .open_for(Duration::from_secs(1), Duration::from_secs(60))
            .when_open(WhenOpen::Hold),
        rate_limit: RateLimitLayer::learning()
            .on_limit(OnLimit::Shape)
            .pause_cap(Duration::from_secs(300)),
        bulkhead: BulkheadLayer::new(16).queue(65_536),
        timeout: TimeoutLayer::new().attempt(Duration::from_secs(30)),
        idle_timeout: IdleTimeoutLayer::new(Duration::from_secs(20)),
        connect: Duration::from_secs(3),
        // Everything else is off, or the same as in the other preset.
        ..user_flow::slots()
    }
}
