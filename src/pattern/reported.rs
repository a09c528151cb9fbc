//! What a call takes from its scopes, and what it tells about itself to others.

use std::sync::Arc;

use http::StatusCode;

use super::call_box::{CallBox, Head};
use super::wire::Wire;
use crate::body::AnswerOf;
use crate::context::{CallEnd, Carried, Context, KnownBody, ReportEntry, has_limit};
use crate::outcome::Error;
use crate::replay::only_reads;
use crate::rt;
use crate::terms::Class;

/// A call in its scopes' reports, until it has ended.
pub(super) struct Reported {
    entry: Arc<ReportEntry>,
    /// The answer's status, and whether that or its class is a success.
    head: Option<(StatusCode, bool)>,
}

impl<W: Wire> CallBox<W> {
    /// Gives the waiting request what its scopes have for it, and enters the call into their reports;
    /// unless a layer further out has done so.
    pub(super) fn enter(&mut self, made_in: Option<Arc<Carried>>, polled_in: Option<Arc<Carried>>) {
        let slots = &mut *self.shared.slots();
        let (Some(request), Some(context)) = (&mut slots.request, &slots.context) else { return };
        let facts = context.state().call();
        if !facts.enter_scope() {
            return;
        }
        let is_limited = has_limit(request);
        let scopes = [made_in.as_ref(), polled_in.as_ref()];
        let (method, is_nested) = (request.method(), context.is_nested());
        let entry = Carried::report(scopes, method, context, is_nested);
        self.reported = entry.map(|entry| Reported { entry, head: None });
        let Some(scope) = Carried::inner(made_in, polled_in) else { return };
        scope.extend(request);
        if scope.has_key() && !only_reads(request) {
            let body = request.body();
            let bytes = W::in_memory(body).map(Into::into);
            let known = KnownBody { bytes, length: W::length(body) };
            scope.give_key(request, &known);
        }
        if let Some(limit) = scope.limit().filter(|_| !is_limited) {
            facts.end_by(rt::after(facts.started, limit));
        }
    }

    /// The answer's head has come, or an error in its place; for the reports.
    pub(super) fn report_head(&mut self, head: &Head) {
        if self.reported.is_none() {
            return;
        }
        match head {
            Err(error) => self.report_end(Err(error)),
            Ok((head, _, is_over)) => {
                let class = self.shared.slots().class;
                let is_success = class.map_or(head.status.is_success(), Class::is_success);
                if let Some(reported) = &mut self.reported {
                    reported.head = Some((head.status, is_success));
                }
                if *is_over {
                    self.report_end(Ok(()));
                }
            }
        }
    }

    /// The answer's body has ended, or there was an error.
    pub(super) fn report_end(&mut self, end: Result<(), &Error>) {
        let Some(Reported { entry, head }) = self.reported.take() else { return };
        let slots = self.shared.slots();
        let Some(context) = &slots.context else { return };
        let call = context.call();
        entry.tell(match end {
            Err(error) => CallEnd {
                delivery: error.delivery().max(call.delivery()),
                attempts: error.attempts(),
                status: error.last_status(),
            },
            Ok(()) => {
                let by_end = slots.ended_as.map(Class::is_success);
                let is_success = by_end.or(head.map(|head| head.1)).unwrap_or_default();
                let delivery = call.delivery_at_end(is_success);
                CallEnd { delivery, ..so_far(context, head) }
            }
        });
    }

    /// The caller has left: all that the call held was dropped.
    pub(super) fn report_left(&mut self) {
        let Some(Reported { entry, head }) = self.reported.take() else { return };
        let slots = self.shared.slots();
        let Some(context) = &slots.context else { return };
        let delivery = match head {
            Some(_) => context.call().delivery_at_end(false),
            None => context.state().delivery_if_left(),
        };
        entry.tell(CallEnd { delivery, ..so_far(context, head) });
    }

    /// Which call the answer is of.
    pub(super) fn answer_of(&self) -> Option<AnswerOf> {
        let context = self.shared.slots().context.clone()?;
        Some(AnswerOf { context, peer: self.shared.peer() })
    }
}

/// What is known of the call, but for its delivery.
fn so_far(context: &Context, head: Option<(StatusCode, bool)>) -> CallEnd {
    let was_refused = context.call().has_fallen_back() && context.handed_over() == 0;
    CallEnd {
        delivery: context.call().delivery(),
        attempts: context.attempts_counted().unwrap_or(u32::from(!was_refused)),
        status: head.map(|head| head.0).or_else(|| context.last_status()),
    }
}
