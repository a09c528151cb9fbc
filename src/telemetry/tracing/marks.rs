//! What changes for all calls.

use super::at::{At, record};
use crate::event::Event;
use crate::telemetry::error_type::error_of;
use crate::terms::{BreakerState, InjectedFault};

pub(super) fn say(at: &At<'_>, event: &Event) {
    match *event {
        Event::BreakerChanged { from, to } => breaker(at, from, to),
        Event::BreakerRejected => record!(at, DEBUG, "a circuit breaker refused a call"),
        Event::BreakerWouldReject => {
            record!(at, DEBUG, "a circuit breaker would have refused a call");
        }
        Event::KillSwitchChanged { from, to } => record!(
            at,
            WARN,
            "a kill switch was moved",
            "outrigger.from" = from.name(),
            "outrigger.to" = to.name(),
        ),
        Event::KillSwitchRejected { mode } => {
            record!(at, DEBUG, "a kill switch refused a call", "outrigger.mode" = mode.name());
        }
        Event::KillSwitchSourceFailed { problem, matters: false } => record!(
            at,
            DEBUG,
            "what moves a kill switch isn't there yet",
            "outrigger.problem" = problem.name(),
        ),
        Event::KillSwitchSourceFailed { problem, matters: true } => record!(
            at,
            WARN,
            "what moves a kill switch can't be read",
            "outrigger.problem" = problem.name(),
        ),
        Event::RehearsalChanged { on: true } => {
            record!(at, WARN, "a rehearsal is on: faults are injected from now on");
        }
        Event::RehearsalChanged { on: false } => record!(at, WARN, "a rehearsal is over"),
        Event::Rehearsed { fault } => record!(
            at,
            WARN,
            "a rehearsal injected a fault: the provider is not to blame",
            "outrigger.fault" = fault.name(),
            "http.response.status_code" = status_of(fault),
        ),
        Event::SettingsApplied => record!(at, INFO, "the settings are others"),
        _ => {}
    }
}

fn status_of(fault: InjectedFault) -> Option<i64> {
    match fault {
        InjectedFault::Status(status) => Some(i64::from(status.as_u16())),
        _ => None,
    }
}

fn breaker(at: &At<'_>, from: BreakerState, to: BreakerState) {
    match to {
        BreakerState::Open if from == BreakerState::HalfOpen => {
            record!(at, DEBUG, "a circuit breaker tried the provider in vain");
        }
        BreakerState::Open => record!(at, WARN, "a circuit breaker opened"),
        BreakerState::HalfOpen => record!(at, DEBUG, "a circuit breaker tries the provider"),
        BreakerState::Closed => record!(at, INFO, "a circuit breaker closed"),
    }
}

/// What is of little matter to calls.
pub(super) fn say_aside(at: &At<'_>, event: &Event) {
    match *event {
        Event::CorrelationReplaced => record!(at, DEBUG, "an unfit correlation id was replaced"),
        Event::ConnectionOpened => record!(at, TRACE, "a connection was made"),
        Event::ConnectionClosed { cause, lived } => record!(
            at,
            TRACE,
            "a connection was closed",
            "outrigger.cause" = cause.name(),
            "outrigger.lived_s" = lived.as_secs_f64(),
        ),
        Event::ClientReplaced { cause, replaced: true } => {
            record!(at, DEBUG, "a client was replaced", "outrigger.cause" = cause.name());
        }
        Event::ClientReplaced { cause, replaced: false } => {
            record!(at, WARN, "a client can't be replaced", "outrigger.cause" = cause.name());
        }
        Event::Mirrored { class, elapsed, agrees } => record!(
            at,
            TRACE,
            "a copy was answered",
            "error.type" = error_of(class),
            "outrigger.elapsed_s" = elapsed.as_secs_f64(),
            "outrigger.agrees" = agrees,
        ),
        Event::MirrorSkipped => record!(at, TRACE, "a call was not copied"),
        _ => {}
    }
}
