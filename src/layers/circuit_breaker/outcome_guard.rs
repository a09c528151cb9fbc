use std::future::Future;
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use super::state::{Admission, AttemptOutcome, Role};
use crate::context::AttemptState;
use crate::outcome::{Error, ErrorKind, FollowedRedirect, class_of_error, wait_of};
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::rt::Clock;
use crate::terms::{Class, Phase};

/// Records an attempt's result with the breaker; when dropped early, that there is none.
#[derive(Debug)]
pub(super) struct OutcomeGuard<'a, W: Wire> {
    breaker: &'a Breaker,
    admission: Admission,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    stage: Stage,
    /// It is a probe that has not been sent yet, as far as is known.
    is_probe_unsent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting,
    /// A successful head has come; the body has not been read yet.
    Head(Instant),
    Recorded,
}

impl<'a, W: Wire> OutcomeGuard<'a, W> {
    pub(super) fn new(
        breaker: &'a Breaker,
        admission: Admission,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let probes = matches!(admission.role, Role::Probe(_));
        attempt.state(|state| match probes {
            true => state.begin_probe(),
            false if state.is_probing() => state.end_probe(),
            false => {}
        });
        Self { breaker, admission, call, attempt, stage: Stage::Waiting, is_probe_unsent: probes }
    }

    /// The rejection, if the breaker has opened since and the request is still queued further in.
    pub(super) fn rejected_in_queue(&mut self) -> Option<Error> {
        let shared = &self.breaker.shared;
        if shared.admits_all() || !self.is_waiting() || !shared.is_outdated(&self.admission) {
            return None;
        }
        self.stage = Stage::Recorded;
        let refusal = shared.reject_queued(self.call.now());
        Some(self.breaker.refuse(&refusal, &self.attempt.context()))
    }

    /// The attempt was polled: if it is a probe that has left the queues, its time begins.
    pub(super) fn on_poll(&mut self) {
        if self.is_probe_unsent && !self.is_waiting() {
            self.is_probe_unsent = false;
            self.breaker.shared.record_sent(self.admission, self.call.now());
        }
    }

    /// A head came: a failure is recorded now, a success after its body.
    pub(super) fn on_head<F: Future<Output = Flow>>(&mut self, held: &Held<'_, W, F>) {
        if held.error().is_some() {
            // It is recorded when the attempt ends.
            return;
        }
        let (by, now) = (&self.breaker.classifier, self.call.now());
        let class = held.class(by);
        if !class.is_failure() && class != Class::Throttled {
            self.breaker.shared.record_head(self.admission(), now);
            self.admission.is_answered = true;
            self.stage = Stage::Head(now);
            return;
        }
        let failed = held.answer(|head| {
            let retry_after = {
                let (headers, extensions) = (&head.headers, &mut head.extensions);
                let asked = wait_of(by, class, headers, extensions, &Clock::system());
                asked.filter(|_| !FollowedRedirect::left_origin(extensions))
            };
            match class {
                // A 503 means that the service is unavailable, even with a `Retry-After`.
                Class::Throttled if !head.status.is_server_error() => {
                    AttemptOutcome::Throttled { retry_after }
                }
                _ => AttemptOutcome::Failure { retry_after },
            }
        });
        if let Some(outcome) = failed {
            self.record(outcome, now);
        }
    }

    /// The body has ended, or there was an error instead of a head or in the body.
    pub(super) fn on_end(&mut self, flow: &Flow) {
        let at = match self.stage {
            Stage::Waiting => self.call.now(),
            Stage::Head(at) => at,
            Stage::Recorded => return,
        };
        let outcome = match flow {
            Ok(()) => self.outcome_at_end(),
            Err(error) => self.outcome(error),
        };
        self.record(outcome, at);
    }

    /// Of a body that has ended, or that the caller has dropped.
    fn outcome_at_end(&self) -> AttemptOutcome {
        let class = self.attempt.class_at_end();
        class.map_or(AttemptOutcome::Success, |class| outcome_of(class, None))
    }

    fn outcome(&self, error: &Error) -> AttemptOutcome {
        let retry_after = error.retry_after();
        let is_deadline = error.kind() == ErrorKind::Timeout(Phase::Call);
        if is_deadline && self.ran_out_here() {
            return AttemptOutcome::Neutral;
        }
        if error.is_timeout() && self.is_waiting() {
            // A time limit passed while it was still queued further in.
            return AttemptOutcome::Neutral;
        }
        outcome_of(class_of_error(&self.breaker.classifier, error), retry_after)
    }

    fn record(&mut self, outcome: AttemptOutcome, at: Instant) {
        self.stage = Stage::Recorded;
        self.breaker.record(self.admission(), outcome, at, self.attempt);
        if outcome != AttemptOutcome::Success && self.breaker.shared.discourages_retry() {
            // Tells retry to keep this result instead of making another attempt.
            self.attempt.state(AttemptState::mark_shut);
        }
    }

    /// The admission, with the time at which the attempt was sent.
    fn admission(&self) -> Admission {
        let began = self.attempt.state(AttemptState::attempt_began);
        Admission { sent_at: self.admission.admitted_at.max(began), ..self.admission }
    }

    /// The attempt was dropped before there was a head.
    fn abandon(&mut self) {
        let now = self.call.now();
        if self.attempt.state(|state| state.is_superseded() || state.is_waiting()) {
            // A hedged request was answered first, or this one was not sent yet.
            self.record(AttemptOutcome::Neutral, now);
            return;
        }
        self.breaker.shared.count_abandoned();
        let waited = now.saturating_duration_since(self.admission().sent_at);
        let late = self.call.deadline().is_some_and(|deadline| now >= deadline);
        let after = || self.breaker.shared.settings().config.abandoned_after;
        let outcome = match !self.ran_out_here() && (late || waited >= after()) {
            true => AttemptOutcome::Failure { retry_after: None },
            false => AttemptOutcome::Neutral,
        };
        self.record(outcome, now);
    }

    fn is_waiting(&self) -> bool {
        self.attempt.state(AttemptState::is_waiting)
    }

    fn ran_out_here(&self) -> bool {
        let now = self.call.now();
        self.attempt.state(|state| state.ran_out_here(now))
    }
}

fn outcome_of(class: Class, retry_after: Option<Duration>) -> AttemptOutcome {
    match class {
        class if class.says_nothing() => AttemptOutcome::Neutral,
        class if class.is_moved() => AttemptOutcome::Refused,
        Class::Throttled => AttemptOutcome::Throttled { retry_after },
        class if class.is_failure() => AttemptOutcome::Failure { retry_after },
        _ => AttemptOutcome::Success,
    }
}

impl<W: Wire> Drop for OutcomeGuard<'_, W> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Waiting => self.abandon(),
            // The call's deadline passed while it waited for more of the body.
            Stage::Head(_) if self.attempt.state(AttemptState::is_cut) => {
                self.record(AttemptOutcome::Failure { retry_after: None }, self.call.now());
            }
            // A caller that drops the body unread has its answer.
            Stage::Head(at) => self.record(self.outcome_at_end(), at),
            Stage::Recorded => {}
        }
    }
}
