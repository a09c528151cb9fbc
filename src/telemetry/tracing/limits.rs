//! Events about waits and limits: bulkheads, rate limits, held calls.

use std::time::Duration;

use super::span_scope::{SpanScope, record};
use crate::event::Event;
use crate::telemetry::error_type::error_of;
use crate::terms::Class;

pub(super) fn record_event(scope: &SpanScope<'_>, event: &Event) {
    let seconds = |duration: Duration| duration.as_secs_f64();
    match *event {
        Event::BulkheadQueued => record!(scope, TRACE, "a call waits for a place"),
        Event::BulkheadAdmitted { waited } => {
            record!(scope, TRACE, "a call has its place", "outrigger.waited_s" = seconds(waited));
        }
        Event::BulkheadRejected { why } => record!(
            scope,
            DEBUG,
            "a bulkhead refused a call",
            "error.type" = error_of(Class::Rejected(why)),
        ),
        Event::ConcurrencyChanged { from, to } => record!(
            scope,
            DEBUG,
            "an adaptive bulkhead has another number of places",
            "outrigger.from" = i64::from(from),
            "outrigger.to" = i64::from(to),
        ),
        Event::BreakerHeld => {
            record!(scope, TRACE, "a call waits until the provider answers again");
        }
        Event::BreakerReleased { waited } => record!(
            scope,
            TRACE,
            "a call that waited for the provider goes out",
            "outrigger.waited_s" = seconds(waited),
        ),
        Event::RateLimitQueued { wait } => {
            record!(scope, TRACE, "a call waits for its turn", "outrigger.wait_s" = seconds(wait));
        }
        Event::RateLimitReleased { waited } => {
            record!(scope, TRACE, "a call has its turn", "outrigger.waited_s" = seconds(waited));
        }
        Event::RateLimitRejected { retry_after } => record!(
            scope,
            DEBUG,
            "a rate limit refused a call",
            "outrigger.retry_after_s" = retry_after.map(seconds),
        ),
        Event::RateLimitPaused { pause } => record!(
            scope,
            DEBUG,
            "the provider asked for a pause",
            "outrigger.pause_s" = seconds(pause),
        ),
        Event::RateLimitChanged { interval } => record!(
            scope,
            DEBUG,
            "the rate is another one",
            "outrigger.interval_s" = interval.map(seconds),
        ),
        _ => {}
    }
}
