use std::future::Future;
use std::time::Instant;

use super::breaker::Breaker;
use super::state::{Role, Ticket, Verdict};
use crate::context::AttemptState;
use crate::outcome::{Error, ErrorKind, class_of_error, wait_of};
use crate::pattern::{Attempt, Call, Flow, Held, Wire};
use crate::rt::Clock;
use crate::terms::{Class, Phase};

/// One call's pass through the breaker; it tells the result, or that there is none.
#[derive(Debug)]
pub(super) struct Pass<'a, W: Wire> {
    breaker: &'a Breaker,
    ticket: Ticket,
    call: &'a Call,
    attempt: &'a Attempt<W>,
    stage: Stage,
    /// It tries the provider, and hasn't been seen to leave yet.
    is_probe_here: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Waiting,
    /// A good head has come; the body has not been read yet.
    Head(Instant),
    Told,
}

impl<'a, W: Wire> Pass<'a, W> {
    pub(super) fn new(
        breaker: &'a Breaker,
        ticket: Ticket,
        call: &'a Call,
        attempt: &'a Attempt<W>,
    ) -> Self {
        let probes = matches!(ticket.role, Role::Probe(_));
        attempt.state(|state| {
            if probes || state.is_probing() {
                state.set_probing(probes);
            }
        });
        Self { breaker, ticket, call, attempt, stage: Stage::Waiting, is_probe_here: probes }
    }

    /// The rejection, where the breaker has opened since and the request is still in a queue of ours:
    /// whoever waited there asks again before it goes.
    pub(super) fn turned_away(&mut self) -> Option<Error> {
        let gate = &self.breaker.gate;
        if gate.passes_all() || !self.is_waiting() || !gate.is_outdated(&self.ticket) {
            return None;
        }
        self.stage = Stage::Told;
        let refusal = gate.turn_away(self.call.now());
        Some(self.breaker.refuse(&refusal, &self.attempt.context()))
    }

    /// The request was polled: if it tries the provider and waits here no more, its time begins.
    pub(super) fn polled(&mut self) {
        if self.is_probe_here && !self.is_waiting() {
            self.is_probe_here = false;
            self.breaker.gate.note_left(self.ticket, self.call.now());
        }
    }

    /// A head: a failure is told now, a success waits for its body.
    pub(super) fn came_to<F: Future<Output = Flow>>(&mut self, held: &Held<'_, W, F>) {
        if held.error().is_some() {
            // It is handed up, and told then.
            return;
        }
        let (by, now) = (&self.breaker.classifier, self.call.now());
        let class = held.class(by);
        if !class.is_failure() && class != Class::Throttled {
            if let Role::Probe(_) = self.ticket.role {
                self.breaker.gate.note_head(self.ticket(), now);
            }
            self.stage = Stage::Head(now);
            return;
        }
        let told = held.answer(|head| {
            let retry_after = {
                let (headers, extensions) = (&head.headers, &mut head.extensions);
                wait_of(by, class, headers, extensions, &Clock::system())
            };
            match class {
                // A 503 says that the service isn't there, whatever else it says.
                Class::Throttled if !head.status.is_server_error() => {
                    Verdict::Throttled { retry_after }
                }
                _ => Verdict::Failure { retry_after },
            }
        });
        if let Some(verdict) = told {
            self.tell(verdict, now);
        }
    }

    /// The body is over, or there was an error in the place of a head or in the body.
    pub(super) fn ended(&mut self, flow: &Flow) {
        let at = match self.stage {
            Stage::Waiting => self.call.now(),
            Stage::Head(at) => at,
            Stage::Told => return,
        };
        let verdict = match flow {
            Ok(()) => Verdict::Success,
            Err(error) => self.verdict(error),
        };
        self.tell(verdict, at);
    }

    fn verdict(&self, error: &Error) -> Verdict {
        let retry_after = error.retry_after();
        let is_deadline = error.kind() == ErrorKind::Timeout(Phase::Call);
        if is_deadline && self.ran_out_here() {
            return Verdict::Nothing;
        }
        if error.is_timeout() && self.is_waiting() {
            // A limit passed while it was still in a queue of ours.
            return Verdict::Nothing;
        }
        match class_of_error(&self.breaker.classifier, error) {
            class if class.says_nothing() => Verdict::Nothing,
            class if class.is_moved() => Verdict::Refused,
            Class::Throttled => Verdict::Throttled { retry_after },
            class if class.is_failure() => Verdict::Failure { retry_after },
            _ => Verdict::Success,
        }
    }

    fn tell(&mut self, verdict: Verdict, at: Instant) {
        self.stage = Stage::Told;
        self.breaker.record(self.ticket(), verdict, at, self.attempt);
        if verdict != Verdict::Success && self.breaker.gate.discourages() {
            // Whoever thinks of another attempt can spare it, and keep the answer that it has.
            self.attempt.state(AttemptState::mark_shut);
        }
    }

    /// The ticket, with what is known by now.
    fn ticket(&self) -> Ticket {
        let began = self.attempt.state(AttemptState::attempt_began);
        Ticket { left: self.ticket.began.max(began), ..self.ticket }
    }

    /// The caller went away before there was a head.
    fn abandon(&mut self) {
        let now = self.call.now();
        if self.attempt.state(|state| state.is_superseded() || state.is_waiting()) {
            // Another request was answered first, or this one had not left yet.
            self.tell(Verdict::Nothing, now);
            return;
        }
        self.breaker.gate.count_abandoned();
        let waited = now.saturating_duration_since(self.ticket().left);
        let late = self.call.deadline().is_some_and(|deadline| now >= deadline);
        let after = || self.breaker.gate.settings().config.abandoned_after;
        let verdict = match !self.ran_out_here() && (late || waited >= after()) {
            true => Verdict::Failure { retry_after: None },
            false => Verdict::Nothing,
        };
        self.tell(verdict, now);
    }

    fn is_waiting(&self) -> bool {
        self.attempt.state(AttemptState::is_waiting)
    }

    fn ran_out_here(&self) -> bool {
        let now = self.call.now();
        self.attempt.state(|state| state.ran_out_here(now))
    }
}

impl<W: Wire> Drop for Pass<'_, W> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Waiting => self.abandon(),
            // The call's deadline passed while it waited for more of the body.
            Stage::Head(_) if self.attempt.state(AttemptState::is_cut) => {
                self.tell(Verdict::Failure { retry_after: None }, self.call.now());
            }
            // A caller who reads only the status has its answer all the same.
            Stage::Head(at) => self.tell(Verdict::Success, at),
            Stage::Told => {}
        }
    }
}
