use std::fmt;

use super::open::OpenSpans;
use super::span_scope::SpanScope;
use super::{attempt, call, failures, limits, local_copy, requests, states};
use crate::event::{Event, Origin, Subscriber};

/// Makes a span of each call and of each attempt. See the [module](super).
#[derive(Default)]
pub struct Spans {
    open: OpenSpans,
}

impl Spans {
    /// A subscriber without open spans.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls have open spans.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

impl Subscriber for Spans {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let scope = SpanScope::new(&self.open, origin);
        // There is no arm for other events, so that each new event must be handled here.
        match event {
            Event::CallStarted => call::begin(&scope),
            Event::CallFinished { end, attempts, .. } => call::end(&scope, end, *attempts),
            Event::AttemptStarted => attempt::begin(&scope),
            Event::AttemptAnswered { status, .. } => attempt::answered(&scope, *status),
            Event::AttemptFinished { end, .. } => attempt::end(&scope, end),
            Event::RetryScheduled { .. }
            | Event::RetryAwaitsBudget { .. }
            | Event::RetryGaveUp { .. }
            | Event::HedgeSent { .. }
            | Event::HedgeSkipped { .. }
            | Event::HedgeFinished { .. }
            | Event::FellBack { .. }
            | Event::FallbackFailed { .. }
            | Event::TimedOut { .. } => failures::record_event(&scope, event),
            Event::BulkheadQueued
            | Event::BulkheadAdmitted { .. }
            | Event::BulkheadRejected { .. }
            | Event::ConcurrencyChanged { .. }
            | Event::BreakerHeld
            | Event::BreakerReleased { .. }
            | Event::RateLimitQueued { .. }
            | Event::RateLimitReleased { .. }
            | Event::RateLimitRejected { .. }
            | Event::RateLimitPaused { .. }
            | Event::RateLimitChanged { .. } => limits::record_event(&scope, event),
            Event::BreakerChanged { .. }
            | Event::BreakerRejected
            | Event::BreakerWouldReject
            | Event::KillSwitchChanged { .. }
            | Event::KillSwitchRejected { .. }
            | Event::KillSwitchSourceFailed { .. }
            | Event::FaultInjectionChanged { .. }
            | Event::FaultInjected { .. }
            | Event::TokenRefreshed { .. }
            | Event::TokenRefreshFailed { .. }
            | Event::TokenServedExpired { .. }
            | Event::TokenMissing
            | Event::TokenRefused { .. }
            | Event::DriftNoticed { .. }
            | Event::CacheAnswered { .. }
            | Event::AnswerPassed { .. }
            | Event::AnswerRejected { .. }
            | Event::AnswerUnchecked { .. }
            | Event::CacheRefreshed { .. }
            | Event::SettingsApplied => states::record_event(&scope, event),
            Event::LocalCopy { copy, event } => local_copy::record_event(&scope, copy, *event),
            Event::Signed { .. }
            | Event::SigningFailed
            | Event::ClockSkewed { .. }
            | Event::PinOverridden { .. }
            | Event::PinDiffers { .. } => {
                requests::record_event(&scope, event);
            }
            #[cfg(feature = "outbox")]
            Event::Outbox(event) => states::record_outbox(&scope, *event),
            #[cfg(feature = "console")]
            Event::ConsoleActed { right, outcome } => {
                states::record_act(&scope, *right, *outcome);
            }
            #[cfg(feature = "console")]
            Event::ConsoleRefused { why } => states::record_refusal(&scope, *why),
            #[cfg(feature = "fleet")]
            Event::Fleet(event) => states::record_fleet(&scope, *event),
            Event::CorrelationReplaced
            | Event::ConnectionOpened
            | Event::ConnectionClosed { .. }
            | Event::ClientReplaced { .. }
            | Event::Redirected { .. }
            | Event::Mirrored { .. }
            | Event::MirrorSkipped => states::record_other(&scope, event),
        }
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").field("open", &self.open()).finish()
    }
}
