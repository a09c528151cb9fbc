//! Events about states that affect all calls: circuit breakers, kill switches, fault injection,
//! settings.

use super::span_scope::{SpanScope, record};
use crate::event::{Drift, Event};
use crate::rt::clamp_to_year_9999;
use crate::telemetry::error_type::error_of;
use crate::terms::{BreakerState, InjectedFault};

pub(super) fn record_event(scope: &SpanScope<'_>, event: &Event) {
    match *event {
        Event::BreakerChanged { from, to } => breaker(scope, from, to),
        Event::BreakerRejected => record!(scope, DEBUG, "a circuit breaker refused a call"),
        Event::BreakerWouldReject => {
            record!(scope, DEBUG, "a circuit breaker would have refused a call");
        }
        Event::KillSwitchChanged { from, to } => record!(
            scope,
            WARN,
            "a kill switch was moved",
            "outrigger.from" = from.name(),
            "outrigger.to" = to.name(),
        ),
        Event::KillSwitchRejected { mode } => {
            record!(scope, DEBUG, "a kill switch refused a call", "outrigger.mode" = mode.name());
        }
        Event::KillSwitchSourceFailed { problem, matters: false } => record!(
            scope,
            DEBUG,
            "what moves a kill switch isn't there yet",
            "outrigger.problem" = problem.name(),
        ),
        Event::KillSwitchSourceFailed { problem, matters: true } => record!(
            scope,
            WARN,
            "what moves a kill switch can't be read",
            "outrigger.problem" = problem.name(),
        ),
        Event::FaultInjectionChanged { on: true } => {
            record!(scope, WARN, "fault injection is on");
        }
        Event::FaultInjectionChanged { on: false } => {
            record!(scope, WARN, "fault injection is off");
        }
        Event::FaultInjected { fault } => record!(
            scope,
            WARN,
            "a fault was injected: the provider is not to blame",
            "outrigger.fault" = fault.name(),
            "http.response.status_code" = status_of(fault),
        ),
        Event::TokenRefreshed { .. }
        | Event::TokenRefreshFailed { .. }
        | Event::TokenServedExpired { .. }
        | Event::TokenMissing
        | Event::TokenRefused { .. } => token(scope, event),
        Event::CacheAnswered { outcome, .. } => {
            if let Some(span) = scope.key().and_then(|key| scope.open.call(key)) {
                span.record("outrigger.cache", outcome.name());
            }
        }
        Event::CacheRefreshed { ok } => {
            record!(scope, DEBUG, "a stored answer was fetched anew", "outrigger.ok" = ok);
        }
        Event::AnswerPassed { check, partial: true } => {
            record!(
                scope,
                DEBUG,
                "an answer is a part of what was asked",
                "outrigger.check" = check
            );
        }
        Event::AnswerRejected { check, verdict, enforced } => record!(
            scope,
            WARN,
            "an answer failed its check",
            "outrigger.check" = check,
            "outrigger.verdict" = verdict.name(),
            "outrigger.enforced" = enforced,
        ),
        Event::AnswerUnchecked { check, why } => record!(
            scope,
            DEBUG,
            "an answer could not be checked",
            "outrigger.check" = check,
            "outrigger.reason" = why.name(),
        ),
        Event::DriftNoticed { .. } => scope.drift().into_iter().for_each(|it| drift(scope, it)),
        Event::SettingsApplied => record!(scope, INFO, "the settings are others"),
        _ => {}
    }
}

/// Records what happened to a message of an outbox.
#[cfg(feature = "outbox")]
pub(super) fn record_outbox(scope: &SpanScope<'_>, event: crate::terms::outbox::OutboxEvent) {
    use crate::terms::outbox::OutboxEvent;
    match event {
        OutboxEvent::Parked { why } => record!(
            scope,
            ERROR,
            "a message of the outbox is dead: a person has to decide about it",
            "outrigger.reason" = why.name(),
        ),
        OutboxEvent::RunningOut => {
            record!(scope, WARN, "a message of the outbox is running out of attempts or time");
        }
        OutboxEvent::Recovered => {
            record!(scope, WARN, "the worker of a message of the outbox is gone");
        }
        OutboxEvent::LateSuccess => {
            record!(scope, INFO, "a message of the outbox was delivered after its lease");
        }
        OutboxEvent::LeaseLost => {
            record!(scope, WARN, "a message of the outbox is sent by somebody else, too");
        }
        OutboxEvent::LanePaused => record!(scope, WARN, "a lane of the outbox pauses"),
        OutboxEvent::KeyMissing => {
            record!(scope, ERROR, "messages of the outbox can't be opened here: a key is missing");
        }
        OutboxEvent::StoreFailing => record!(scope, ERROR, "the store of the outbox fails"),
        OutboxEvent::StoreBack => record!(scope, INFO, "the store of the outbox works again"),
    }
}

/// Records what somebody did on the console.
#[cfg(feature = "console")]
pub(super) fn record_act(
    scope: &SpanScope<'_>,
    right: crate::terms::Right,
    outcome: crate::terms::ActOutcome,
) {
    record!(
        scope,
        WARN,
        "somebody acted on the console",
        "outrigger.right" = right.name(),
        "outrigger.outcome" = outcome.name(),
    );
}

/// Records that an act on the console was refused.
#[cfg(feature = "console")]
pub(super) fn record_refusal(scope: &SpanScope<'_>, why: crate::terms::ActRefusal) {
    record!(scope, WARN, "the console refused an act", "outrigger.reason" = why.name(),);
}

/// Records what happened between this instance and its fleet.
#[cfg(feature = "fleet")]
pub(super) fn record_fleet(scope: &SpanScope<'_>, event: crate::terms::fleet::FleetEvent) {
    use crate::terms::fleet::FleetEvent;
    match event {
        FleetEvent::Unheard => {
            record!(scope, WARN, "the fleet isn't heard: controls and settings stay as they are");
        }
        FleetEvent::Heard => record!(scope, INFO, "the fleet is heard again"),
        FleetEvent::Restored => {
            record!(scope, WARN, "an older copy of the fleet's database is there: it is obeyed");
        }
        FleetEvent::Disobeyed => {
            record!(scope, ERROR, "this instance can't obey its fleet: health says why");
        }
        FleetEvent::ShareEnded => {
            record!(scope, WARN, "the lease of a share has ended: little of the rate is used");
        }
        FleetEvent::ShareHeld => record!(scope, INFO, "a share of the account's rate is held"),
        FleetEvent::Hinted => {
            record!(scope, INFO, "most instances have open breakers: fewer failures open this one");
        }
    }
}

fn status_of(fault: InjectedFault) -> Option<i64> {
    match fault {
        InjectedFault::Status(status) => Some(i64::from(status.as_u16())),
        _ => None,
    }
}

fn breaker(scope: &SpanScope<'_>, from: BreakerState, to: BreakerState) {
    match to {
        BreakerState::Open if from == BreakerState::HalfOpen => {
            record!(scope, DEBUG, "a circuit breaker tried the provider in vain");
        }
        BreakerState::Open => record!(scope, WARN, "a circuit breaker opened"),
        BreakerState::HalfOpen => record!(scope, DEBUG, "a circuit breaker tries the provider"),
        BreakerState::Closed => record!(scope, INFO, "a circuit breaker closed"),
    }
}

fn token(scope: &SpanScope<'_>, event: &Event) {
    match *event {
        Event::TokenRefreshed { generation, lifetime, elapsed } => record!(
            scope,
            DEBUG,
            "a token was fetched",
            "outrigger.generation" = i64::try_from(generation).unwrap_or(i64::MAX),
            "outrigger.lifetime_s" = lifetime.map(|time| time.as_secs_f64()),
            "outrigger.elapsed_s" = elapsed.as_secs_f64(),
        ),
        Event::TokenRefreshFailed { failure, retry_in, served_for, .. } => record!(
            scope,
            WARN,
            "a token could not be fetched",
            "outrigger.failure" = failure.name(),
            "outrigger.retry_in_s" = retry_in.as_secs_f64(),
            "outrigger.served_for_s" = served_for.map(|time| time.as_secs_f64()),
        ),
        Event::TokenServedExpired { generation, ended_for } => record!(
            scope,
            WARN,
            "a token was sent after its end",
            "outrigger.generation" = i64::try_from(generation).unwrap_or(i64::MAX),
            "outrigger.ended_for_s" = ended_for.as_secs_f64(),
        ),
        Event::TokenMissing => record!(scope, DEBUG, "a call was refused: there is no token"),
        Event::TokenRefused { generation, may_repeat } => record!(
            scope,
            WARN,
            "the provider refused a token",
            "outrigger.generation" = i64::try_from(generation).unwrap_or(i64::MAX),
            "outrigger.may_repeat" = may_repeat,
        ),
        _ => {}
    }
}

fn drift(scope: &SpanScope<'_>, drift: &Drift) {
    let at = drift.at.map(|at| httpdate::fmt_http_date(clamp_to_year_9999(at)));
    record!(
        scope,
        WARN,
        "the provider's API changes",
        "outrigger.drift" = drift.kind.name(),
        "outrigger.endpoint" = drift.endpoint.as_str(),
        "outrigger.at" = at,
        "outrigger.detail" = drift.detail.as_deref(),
        "server.address" = drift.host.as_deref(),
    );
}

/// Records the remaining events: ids, connections, mirrors.
pub(super) fn record_other(scope: &SpanScope<'_>, event: &Event) {
    match *event {
        Event::CorrelationReplaced => record!(scope, DEBUG, "an unfit correlation id was replaced"),
        Event::ConnectionOpened => record!(scope, TRACE, "a connection was made"),
        Event::ConnectionClosed { cause, lived } => record!(
            scope,
            TRACE,
            "a connection was closed",
            "outrigger.cause" = cause.name(),
            "outrigger.lived_s" = lived.as_secs_f64(),
        ),
        Event::Redirected { status, to_origin, hops } => record!(
            scope,
            DEBUG,
            "a redirect is followed",
            "http.response.status_code" = i64::from(status.as_u16()),
            "outrigger.to_origin" = to_origin.name(),
            "outrigger.hops" = i64::from(hops),
        ),
        Event::ClientReplaced { cause, replaced: true } => {
            record!(scope, DEBUG, "a client was replaced", "outrigger.cause" = cause.name());
        }
        Event::ClientReplaced { cause, replaced: false } => {
            record!(scope, WARN, "a client can't be replaced", "outrigger.cause" = cause.name());
        }
        Event::Mirrored { class, elapsed, agrees } => record!(
            scope,
            TRACE,
            "a copy was answered",
            "error.type" = error_of(class),
            "outrigger.elapsed_s" = elapsed.as_secs_f64(),
            "outrigger.agrees" = agrees,
        ),
        Event::MirrorSkipped => record!(scope, TRACE, "a call was not copied"),
        _ => {}
    }
}
