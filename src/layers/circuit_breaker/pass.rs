use std::any::Any;
use std::sync::Arc;

use http::Response;

use super::breaker::Breaker;
use super::state::{Role, Ticket, Verdict};
use crate::body::{BodyEnd, OnBodyEnd};
use crate::context::Context;
use crate::outcome::{Error, ErrorKind, class_of_error, class_of_response, wait_of};
use crate::rt::{self, Clock};
use crate::terms::{Class, Phase};

/// One call's pass through the breaker; it tells the result, or that there is none.
#[derive(Debug)]
pub struct Pass {
    breaker: Arc<Breaker>,
    ticket: Ticket,
    context: Context,
    stage: Stage,
    /// It tries the provider, and hasn't been seen to leave yet.
    is_probe_here: bool,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    /// A good head has come; the body has not been read yet.
    Head(std::time::Instant),
    Told,
}

impl Pass {
    pub(super) fn new(breaker: Arc<Breaker>, ticket: Ticket, context: Context) -> Self {
        let probes = matches!(ticket.role, Role::Probe(_));
        if probes || context.state().is_probing() {
            context.state().set_probing(probes);
        }
        Self { breaker, ticket, context, stage: Stage::Waiting, is_probe_here: probes }
    }

    /// The rejection, where the breaker has opened since and the request is still in a queue of ours:
    /// whoever waited there asks again before it goes.
    pub(super) fn turned_away(&mut self) -> Option<Error> {
        if !self.context.state().is_here() || !self.breaker.gate.is_outdated(&self.ticket) {
            return None;
        }
        self.context.state().set_queued(false);
        self.stage = Stage::Told;
        let refusal = self.breaker.gate.turn_away(rt::now());
        Some(self.breaker.refuse(&refusal, &self.context))
    }

    /// The request was polled: if it tries the provider and waits here no more, its time begins.
    pub(super) fn polled(&mut self) {
        if self.is_probe_here && !self.context.state().is_here() {
            self.is_probe_here = false;
            self.breaker.gate.note_left(self.ticket, rt::now());
        }
    }

    /// A head: a failure is told now, a success waits for its body.
    pub(super) fn answered<B>(mut self, response: &mut Response<B>) -> Option<Self> {
        let now = rt::now();
        let class = class_of_response(&self.breaker.classifier, response);
        let is_server_error = response.status().is_server_error();
        let mut hint = || {
            let headers = std::mem::take(response.headers_mut());
            let (by, extensions) = (&self.breaker.classifier, response.extensions_mut());
            let wait = wait_of(by, class, &headers, extensions, &Clock::system());
            *response.headers_mut() = headers;
            wait
        };
        let verdict = match class {
            // A 503 says that the service isn't there, whatever else it says.
            Class::Throttled if !is_server_error => Verdict::Throttled { retry_after: hint() },
            class if class.is_failure() || class == Class::Throttled => {
                Verdict::Failure { retry_after: hint() }
            }
            _ => {
                self.breaker.gate.note_head(self.ticket(), now);
                self.stage = Stage::Head(now);
                return Some(self);
            }
        };
        self.tell(verdict, now);
        None
    }

    /// An error: it is told, and handed on.
    pub(super) fn failed(mut self, error: Error) -> Error {
        let error = error.ending(&self.context);
        let verdict = self.verdict(&error);
        self.tell(verdict, rt::now());
        error
    }

    fn verdict(&self, error: &Error) -> Verdict {
        let retry_after = error.retry_after();
        let is_deadline = error.kind() == ErrorKind::Timeout(Phase::Call);
        if is_deadline && self.context.state().ran_out_here(rt::now()) {
            return Verdict::Nothing;
        }
        if error.is_timeout() && self.context.state().is_here() {
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

    fn tell(&mut self, verdict: Verdict, at: std::time::Instant) {
        self.stage = Stage::Told;
        self.breaker.record(self.ticket(), verdict, at, &self.context);
        if verdict != Verdict::Success && self.breaker.gate.discourages() {
            // Whoever thinks of another attempt can spare it, and keep the answer that it has.
            self.context.state().set_shut(true);
        }
    }

    /// The ticket, with what is known by now.
    fn ticket(&self) -> Ticket {
        let left = self.ticket.began.max(self.context.state().attempt_began());
        Ticket { left, ..self.ticket }
    }

    /// The caller went away before there was a head.
    fn abandon(&mut self) {
        let now = rt::now();
        let state = self.context.state();
        if state.is_overtaken() || state.is_here() {
            // Another request was answered first, or this one had not left yet.
            self.tell(Verdict::Nothing, now);
            return;
        }
        self.breaker.gate.count_abandoned();
        let waited = now.saturating_duration_since(self.ticket.began.max(state.attempt_began()));
        let late = self.context.deadline().is_some_and(|deadline| now >= deadline);
        let after = || self.breaker.gate.settings().config.abandoned_after;
        let verdict = match !state.ran_out_here(now) && (late || waited >= after()) {
            true => Verdict::Failure { retry_after: None },
            false => Verdict::Nothing,
        };
        self.tell(verdict, now);
    }
}

impl<E: 'static> OnBodyEnd<E> for Pass {
    fn end(mut self, end: BodyEnd<'_, E>) {
        let Stage::Head(at) = self.stage else { return };
        let verdict = match end {
            BodyEnd::Complete => Verdict::Success,
            BodyEnd::Error(error) => match (error as &dyn Any).downcast_ref::<Error>() {
                Some(error) => self.verdict(error),
                None => Verdict::Failure { retry_after: None },
            },
        };
        self.tell(verdict, at);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        match self.stage {
            Stage::Waiting => self.abandon(),
            // The call's deadline passed while it waited for more of the body.
            Stage::Head(_) if self.context.was_cut() => {
                self.tell(Verdict::Failure { retry_after: None }, rt::now());
            }
            // A caller who reads only the status has its answer all the same.
            Stage::Head(at) => self.tell(Verdict::Success, at),
            Stage::Told => {}
        }
    }
}
