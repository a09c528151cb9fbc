//! Events about failures: retries, hedges, timeouts, fallbacks.

use super::span_scope::{SpanScope, record};
use crate::event::Event;
use crate::telemetry::error_type::error_of;

pub(super) fn record_event(scope: &SpanScope<'_>, event: &Event) {
    match *event {
        Event::RetryScheduled { attempt, class, delay } => record!(
            scope,
            DEBUG,
            "an attempt failed, and another follows",
            "error.type" = error_of(class),
            "outrigger.failed" = i64::from(attempt),
            "outrigger.delay_s" = delay.as_secs_f64(),
        ),
        Event::RetryAwaitsBudget { attempt, class } => record!(
            scope,
            DEBUG,
            "an attempt failed, and the budget holds no other yet",
            "error.type" = error_of(class),
            "outrigger.failed" = i64::from(attempt),
        ),
        Event::RetryGaveUp { attempts, class, why } => record!(
            scope,
            DEBUG,
            "a failure is final",
            "error.type" = error_of(class),
            "outrigger.attempts" = i64::from(attempts),
            "outrigger.why" = why.name(),
        ),
        Event::HedgeSent { after } => record!(
            scope,
            DEBUG,
            "a second request goes out beside a slow one",
            "outrigger.after_s" = after.as_secs_f64(),
        ),
        Event::HedgeSkipped { why } => record!(
            scope,
            DEBUG,
            "no second request goes out beside a slow one",
            "outrigger.why" = why.name(),
        ),
        Event::HedgeFinished { won } => {
            record!(scope, DEBUG, "one of two requests was answered", "outrigger.second_won" = won);
        }
        Event::TimedOut { phase, limit } => record!(
            scope,
            DEBUG,
            "a limit passed",
            "outrigger.phase" = phase.name(),
            "outrigger.limit_s" = limit.as_secs_f64(),
        ),
        Event::FellBack { class, delivery } => record!(
            scope,
            WARN,
            "a fallback answered in the provider's place",
            "error.type" = error_of(class),
            "outrigger.delivery" = delivery.name(),
        ),
        Event::FallbackFailed { class } => {
            record!(scope, WARN, "a fallback had no answer", "error.type" = error_of(class));
        }
        _ => {}
    }
}
