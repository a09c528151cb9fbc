//! The checks of one answer: which are for it, what they find, and what becomes of it.

use http::response::Parts;
use http::{Method, Request, StatusCode, Uri};

use super::check::Answered;
use super::config::Mode;
use super::finding::Finding;
use super::layer::{Entry, MOST_CHECKS, ValidateLayer};
use super::prefix::Prefix;
use super::report::Rejected;
use crate::context::{CarriedOut, PathTemplate};
use crate::event::Event;
use crate::outcome::{FailedCheck, class_of_head, leave_class, leave_wait};
use crate::pattern::{Attempt, Wire};
use crate::rt::callback;
use crate::terms::{Class, Unchecked, Verdict};

/// What was asked.
pub(super) struct Asked {
    pub(super) method: Method,
    uri: Uri,
    template: Option<PathTemplate>,
}

/// The checks of one answer.
pub(super) struct Judge<'a> {
    pub(super) layer: &'a ValidateLayer,
    pub(super) asked: Asked,
}

/// The checks that are for an answer, as bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Chosen {
    pub(super) checks: u64,
    pub(super) reads_body: bool,
    /// One of those that read the body may turn a success down.
    pub(super) is_decisive: bool,
}

impl Asked {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            template: request.extensions().get().cloned(),
        }
    }
}

impl Judge<'_> {
    /// The checks that are for this answer. The checks are users' code: no lock is held.
    pub(super) fn choose(&self, head: &Parts) -> Chosen {
        let mut chosen = Chosen::default();
        if is_about_no_body(head.status) {
            return chosen;
        }
        let (answered, is_success) = (self.answered(head), head.status.is_success());
        for (at, entry) in self.layer.checks.iter().take(MOST_CHECKS).enumerate() {
            let applies = || entry.check.applies(&answered);
            let is_drawn = || entry.share.is_drawn(&self.layer.rng);
            // Where the gate panics, the check is asked: it is the safer way.
            if callback::call("check", applies) != Some(false) && is_drawn() {
                let reads_body = entry.check.reads_body();
                chosen.checks |= 1 << at;
                chosen.reads_body |= reads_body;
                chosen.is_decisive |= reads_body && is_success && self.acts(entry);
            }
        }
        chosen
    }

    /// Asks the checks in order, up to the first that rejects the answer, and leaves the verdict on the
    /// answer. If the caller must get an error in its place, returns what for.
    pub(super) fn judge<W: Wire>(
        &self,
        chosen: Chosen,
        head: &mut Parts,
        body: &Prefix<'_>,
        attempt: &Attempt<W>,
    ) -> Option<(FailedCheck, Class)> {
        let rejected = self.ask_all(chosen, head, body, attempt);
        #[cfg(feature = "json")]
        if body.duplicates() > 0 {
            self.layer.report.duplicate();
        }
        rejected
    }

    fn ask_all<W: Wire>(
        &self,
        chosen: Chosen,
        head: &mut Parts,
        body: &Prefix<'_>,
        attempt: &Attempt<W>,
    ) -> Option<(FailedCheck, Class)> {
        let entries = self.layer.checks.iter().take(MOST_CHECKS).enumerate();
        for (_, entry) in entries.filter(|(at, _)| chosen.checks & (1 << at) != 0) {
            let acts = self.acts(entry);
            let finding = self.ask(entry, acts, head, body, attempt);
            #[cfg(feature = "json")]
            if let Some(problem) = finding.problem.as_ref().filter(|_| acts) {
                head.extensions.insert(super::Problem::clone(problem));
            }
            match finding.verdict.class() {
                None => {}
                Some(class @ Class::Partial) if acts => leave_class(class, &mut head.extensions),
                Some(Class::Partial) => {}
                Some(class) => {
                    let (wait, carried_out) = (finding.wait, finding.carried_out);
                    let failed = finding.failed(entry.name, head.status);
                    self.note(&failed, acts, head, body, attempt);
                    if acts {
                        if let Some(wait) = wait {
                            leave_wait(&mut head.extensions, wait);
                        }
                        // A 4xx says that the request was refused (RFC 9110, 15.5), and others don't.
                        if carried_out.unwrap_or(!head.status.is_client_error()) {
                            head.extensions.insert(CarriedOut);
                        }
                        return self.reject(failed, class, head);
                    }
                }
            }
        }
        None
    }

    /// What a check finds, which is told.
    fn ask<W: Wire>(
        &self,
        entry: &Entry,
        acts: bool,
        head: &Parts,
        body: &Prefix<'_>,
        attempt: &Attempt<W>,
    ) -> Finding {
        let ask = || entry.check.check(&self.answered(head), body);
        let finding =
            callback::call("check", ask).unwrap_or_else(|| Finding::unchecked(Unchecked::Panicked));
        let check = entry.name;
        match (finding.verdict, finding.unchecked) {
            (verdict @ (Verdict::Pass | Verdict::Partial), _) => {
                let partial = verdict == Verdict::Partial;
                self.emit(attempt, Event::AnswerPassed { check, partial });
            }
            (_, Some(why)) => {
                self.layer.report.unchecked();
                self.emit(attempt, Event::AnswerUnchecked { check, why });
                if acts && self.layer.config.must_check && head.status.is_success() {
                    return Finding::invalid(format!("it can't be checked: {why}"));
                }
            }
            _ => {}
        }
        finding
    }

    fn acts(&self, entry: &Entry) -> bool {
        entry.enforces && self.layer.config.mode == Mode::Enforce
    }

    /// Notes a rejection, and tells it.
    fn note<W: Wire>(
        &self,
        failed: &FailedCheck,
        enforced: bool,
        head: &Parts,
        body: &Prefix<'_>,
        attempt: &Attempt<W>,
    ) {
        let context = attempt.context();
        let rejected = Rejected {
            failed,
            method: &self.asked.method,
            template: self.asked.template.as_ref(),
            correlation_id: context.correlation_id(),
            headers: &head.headers,
            body,
        };
        let ValidateLayer { report, redactor, clock, .. } = self.layer;
        report.rejected(&rejected, redactor.as_deref(), clock);
        let FailedCheck { check, verdict, .. } = *failed;
        self.emit(attempt, Event::AnswerRejected { check, verdict, enforced });
    }

    /// What becomes of an answer that failed its check. It is a response like any other that says why it
    /// failed. But where the status says that it succeeded, and there is nothing that a caller could do
    /// with it, the caller gets an error.
    fn reject(
        &self,
        failed: FailedCheck,
        class: Class,
        head: &mut Parts,
    ) -> Option<(FailedCheck, Class)> {
        let Parts { status, headers, extensions, .. } = head;
        let by_status = class_of_head(&self.layer.classifier, *status, headers, extensions);
        let is_useless = matches!(failed.verdict, Verdict::Transient | Verdict::Invalid);
        if by_status.is_success() && is_useless {
            return Some((failed, class));
        }
        leave_class(class, extensions);
        extensions.insert(failed);
        None
    }

    fn answered<'h>(&'h self, head: &'h Parts) -> Answered<'h> {
        Answered {
            method: &self.asked.method,
            uri: &self.asked.uri,
            template: self.asked.template.as_ref(),
            status: head.status,
            headers: &head.headers,
        }
    }

    fn emit<W: Wire>(&self, attempt: &Attempt<W>, event: Event) {
        let emitter = &self.layer.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&attempt.context()), || event);
        }
    }
}

/// Whether an answer has no body of its own, or a part of one (RFC 9110, 15.2, 15.3.5 to 15.3.7, 15.4.5).
fn is_about_no_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status.as_u16(), 204..=206 | 304)
}
