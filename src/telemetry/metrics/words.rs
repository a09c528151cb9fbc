//! Facts as label values: one word each, of which there are few.

use http::{Method, StatusCode};

use super::labels::Text;
use crate::control::Status;
use crate::event::{
    BreakerState, CloseCause, End, InjectedFault, ReplaceCause, SourceProblem, SwitchMode,
};
use crate::outcome::{Class, Fault, GaveUp, Phase, Rejection};
pub(super) use crate::telemetry::words::OTHER;
use crate::telemetry::words::end as end_word;

/// What something came to: its class, and a reason where there is one, behind a dot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome(&'static str);

impl Outcome {
    pub(super) fn of(end: End) -> Self {
        match end {
            End::Answered { class, .. } | End::Failed { class, .. } => class.into(),
            End::Abandoned { .. } | End::Overtaken => Self(end_word(&end)),
        }
    }

    /// The word for its class.
    pub(super) fn class(self) -> &'static str {
        self.0.split_once('.').map_or(self.0, |(class, _)| class)
    }

    /// What else there is to say.
    pub(super) fn reason(self) -> Option<&'static str> {
        self.0.split_once('.').map(|(_, reason)| reason)
    }
}

impl From<Class> for Outcome {
    fn from(class: Class) -> Self {
        Self(match class {
            Class::Success => "success",
            Class::Partial => "partial",
            Class::ClientError => "client_error",
            Class::Throttled => "throttled",
            Class::ServerError => "server_error",
            Class::Unauthorized => "unauthorized",
            Class::Invalid => "invalid",
            Class::Timeout(phase) => timeout(phase),
            Class::Transport(fault) => transport(fault),
            Class::Rejected(why) => rejected(why),
            Class::Request => "request",
            Class::Other => "other",
        })
    }
}

fn timeout(phase: Phase) -> &'static str {
    match phase {
        Phase::Call => "timeout.call",
        Phase::Attempt => "timeout.attempt",
        Phase::Acquire => "timeout.acquire",
        Phase::Connect => "timeout.connect",
        Phase::ResponseHead => "timeout.response_head",
        Phase::Upload => "timeout.upload",
        Phase::BodyIdle => "timeout.body_idle",
        Phase::Transport => "timeout.transport",
    }
}

fn transport(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "transport.dns",
        Fault::Refused => "transport.refused",
        Fault::Connect => "transport.connect",
        Fault::Tls => "transport.tls",
        Fault::Reset => "transport.reset",
        Fault::Closed => "transport.closed",
        Fault::Protocol => "transport.protocol",
        Fault::NotProcessed => "transport.not_processed",
        Fault::GoneAway => "transport.gone_away",
        Fault::Body => "transport.body",
        Fault::Other => "transport.other",
    }
}

fn rejected(why: Rejection) -> &'static str {
    match why {
        Rejection::CircuitOpen => "rejected.circuit_open",
        Rejection::Full => "rejected.full",
        Rejection::QueueTimeout => "rejected.queue_timeout",
        Rejection::RateLimited => "rejected.rate_limited",
        Rejection::Stopped => "rejected.stopped",
        Rejection::FallbackOnly => "rejected.fallback_only",
        Rejection::CacheOnly => "rejected.cache_only",
    }
}

pub(super) fn gave_up(why: GaveUp) -> &'static str {
    match why {
        GaveUp::NotRetryable => "not_retryable",
        GaveUp::NotSafe => "not_safe",
        GaveUp::Attempts => "attempts",
        GaveUp::Deadline => "deadline",
        GaveUp::ElapsedLimit => "elapsed_limit",
        GaveUp::WaitTooLong => "wait_too_long",
        GaveUp::Budget => "budget",
        GaveUp::BodyNotKept => "body_not_kept",
        GaveUp::CircuitOpen => "circuit_open",
        GaveUp::KeyExpired => "key_expired",
        GaveUp::Steered => "steered",
        GaveUp::Stopped => "stopped",
    }
}

/// Why a kill switch in this mode refuses.
pub(super) fn refusal(mode: SwitchMode) -> Rejection {
    match mode {
        SwitchMode::CacheOnly => Rejection::CacheOnly,
        SwitchMode::FallbackOnly => Rejection::FallbackOnly,
        SwitchMode::On | SwitchMode::NoRetries | SwitchMode::Off => Rejection::Stopped,
    }
}

pub(super) fn breaker(state: BreakerState) -> &'static str {
    match state {
        BreakerState::Closed => "closed",
        BreakerState::Open => "open",
        BreakerState::HalfOpen => "half_open",
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Stopped => "stopped",
    }
}

pub(super) fn closed(cause: CloseCause) -> &'static str {
    match cause {
        CloseCause::ByPeer => "by_peer",
        CloseCause::Broken => "broken",
        CloseCause::Idle => "idle",
        CloseCause::Expired => "expired",
        CloseCause::Cut => "cut",
        CloseCause::Misdirected => "misdirected",
        CloseCause::Surplus => "surplus",
    }
}

pub(super) fn replaced(cause: ReplaceCause) -> &'static str {
    match cause {
        ReplaceCause::Age => "age",
        ReplaceCause::Failures => "failures",
    }
}

pub(super) fn source(problem: SourceProblem) -> &'static str {
    match problem {
        SourceProblem::Missing => "missing",
        SourceProblem::Unreadable => "unreadable",
        SourceProblem::Malformed => "malformed",
    }
}

pub(super) fn fault(fault: InjectedFault) -> &'static str {
    match fault {
        InjectedFault::Latency => "latency",
        InjectedFault::Status(_) => "status",
        InjectedFault::Hang => "hang",
        InjectedFault::Reset => "reset",
        InjectedFault::SlowBody => "slow_body",
        InjectedFault::Answer => "answer",
    }
}

pub(super) fn method(method: &Method) -> &'static str {
    crate::telemetry::words::method(method).unwrap_or(OTHER)
}

pub(super) fn status_code(status: StatusCode) -> Text {
    match status.as_u16() {
        known @ 100..=599 => known.into(),
        _ => OTHER.into(),
    }
}

pub(super) fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
