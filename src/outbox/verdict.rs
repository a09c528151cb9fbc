//! What an attempt's result means for the message. Pure.

use std::time::Duration;

use http::StatusCode;

use super::input::Effect;
use crate::terms::{Class, Delivery, Phase};

/// What was found out about an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) class: Class,
    pub(super) status: Option<StatusCode>,
    /// Whether the provider may have acted.
    pub(super) delivery: Delivery,
    /// The wait that the provider, or a layer that refused, asked for.
    pub(super) wait: Option<Duration>,
    /// Whether an earlier attempt may have had its effect.
    pub(super) had_unknown: bool,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Delivered,
    /// A failed attempt: again by the schedule, and not before the wait.
    Retry {
        effect: Effect,
        wait: Option<Duration>,
    },
    /// Nothing was sent, because something here refused: again after the wait, without counting.
    NotSent {
        wait: Option<Duration>,
    },
    /// The provider asks all to wait: the lane pauses.
    PauseLane {
        wait: Duration,
    },
    /// The credentials were refused: the lane pauses.
    Unauthorized,
    /// It will never succeed as it is.
    Rejected,
}

impl Verdict {
    pub(super) fn of(facts: &Facts) -> Self {
        let Facts { class, status, delivery, wait, had_unknown } = *facts;
        let effect = match delivery {
            Delivery::Unknown => Effect::Unknown,
            _ => Effect::None,
        };
        let retry = Self::Retry { effect, wait };
        match class {
            Class::Success | Class::Partial => Self::Delivered,
            // No time at all is none that anybody could wait for.
            Class::Throttled => {
                let wait = wait.filter(|wait| !wait.is_zero());
                wait.map_or(retry, |wait| Self::PauseLane { wait })
            }
            Class::Unauthorized => Self::Unauthorized,
            // It waited here, for a place or a turn, until its time was over.
            Class::Rejected(_) | Class::Timeout(Phase::Call | Phase::Acquire)
                if delivery == Delivery::NotSent =>
            {
                Self::NotSent { wait }
            }
            Class::Request if effect == Effect::None => Self::Rejected,
            Class::ClientError if is_passing(status, had_unknown) => retry,
            Class::ClientError => Self::Rejected,
            // It was a success, whose answer can't be used: the effect is there.
            Class::Invalid => Self::Retry { effect: Effect::Unknown, wait },
            _ => retry,
        }
    }
}

impl Facts {
    /// Whether the provider may have done it, although it answered with an error of its own: not if it says that it
    /// couldn't (501, 505), or can't now (503).
    pub(super) fn may_be_done_anyway(&self) -> bool {
        let is_refused = |status| {
            [
                StatusCode::NOT_IMPLEMENTED,
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            ]
            .contains(&status)
        };
        self.class == Class::ServerError && !self.status.is_some_and(is_refused)
    }
}

impl Verdict {
    /// The same, if nobody knows whether the provider did it.
    pub(super) fn in_doubt(self) -> Self {
        match self {
            Self::Retry { wait, .. } => Self::Retry { effect: Effect::Unknown, wait },
            other => other,
        }
    }
}

/// Whether a client error may pass: a request timeout, a wrong connection, an early one; and a conflict if
/// an earlier attempt may still be at work with the same key.
fn is_passing(status: Option<StatusCode>, had_unknown: bool) -> bool {
    match status {
        Some(
            StatusCode::REQUEST_TIMEOUT | StatusCode::MISDIRECTED_REQUEST | StatusCode::TOO_EARLY,
        ) => true,
        Some(StatusCode::CONFLICT) => had_unknown,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{Fault, Rejection};

    fn facts(class: Class, delivery: Delivery) -> Facts {
        Facts { class, status: None, delivery, wait: None, had_unknown: false }
    }

    #[test]
    fn a_result_means_what_its_class_and_its_delivery_say() {
        use Delivery::{Answered, NotSent, Unknown};
        let retry = |effect| Verdict::Retry { effect, wait: None };
        for (class, delivery, verdict) in [
            (Class::Success, Answered, Verdict::Delivered),
            (Class::Partial, Answered, Verdict::Delivered),
            (Class::ClientError, Answered, Verdict::Rejected),
            (Class::Request, NotSent, Verdict::Rejected),
            (Class::Unauthorized, Answered, Verdict::Unauthorized),
            (Class::Throttled, Answered, retry(Effect::None)),
            (Class::ServerError, Answered, retry(Effect::None)),
            (Class::Transport(Fault::Refused), NotSent, retry(Effect::None)),
            (Class::Timeout(Phase::Attempt), Unknown, retry(Effect::Unknown)),
            (Class::Timeout(Phase::Call), Unknown, retry(Effect::Unknown)),
            (Class::Timeout(Phase::Call), NotSent, Verdict::NotSent { wait: None }),
            (Class::Invalid, Answered, retry(Effect::Unknown)),
            (Class::Rejected(Rejection::CircuitOpen), NotSent, Verdict::NotSent { wait: None }),
            (Class::Rejected(Rejection::Stopped), Unknown, retry(Effect::Unknown)),
        ] {
            assert_eq!(Verdict::of(&facts(class, delivery)), verdict, "{class:?} {delivery:?}");
        }
    }

    #[test]
    fn a_conflict_passes_only_after_an_attempt_that_may_still_run() {
        let status = Some(StatusCode::CONFLICT);
        let conflict = Facts { status, ..facts(Class::ClientError, Delivery::Answered) };
        assert_eq!(Verdict::of(&conflict), Verdict::Rejected);
        let retry = Verdict::Retry { effect: Effect::None, wait: None };
        assert_eq!(Verdict::of(&Facts { had_unknown: true, ..conflict }), retry);
    }

    #[test]
    fn a_refusal_with_a_time_pauses_the_lane() {
        let wait = Duration::from_secs(7);
        let throttled = Facts { wait: Some(wait), ..facts(Class::Throttled, Delivery::Answered) };
        assert_eq!(Verdict::of(&throttled), Verdict::PauseLane { wait });
        let wait = Some(Duration::ZERO);
        let at_once = Verdict::Retry { effect: Effect::None, wait };
        assert_eq!(Verdict::of(&Facts { wait, ..throttled }), at_once);
    }
}
