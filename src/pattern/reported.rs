//! What a call takes from its scope, and what it tells about itself to others.

use std::sync::Arc;

use http::StatusCode;

use super::call_box::{CallBox, Head};
use super::wire::Wire;
use crate::body::AnswerOf;
use crate::context::{CallEnd, Carried, ReportEntry};
use crate::rt;
use crate::terms::Class;

impl<W: Wire> CallBox<W> {
    /// Gives the waiting request what the scope has for it, and enters the call into the scope's
    /// reports; unless a layer further out has done so.
    pub(super) fn enter(&self, scope: &Carried) -> Option<Arc<ReportEntry>> {
        let slots = &mut *self.shared.slots();
        let (request, context) = (slots.request.as_mut()?, slots.context.as_ref()?);
        let facts = context.state().call();
        if !facts.enter_scope() {
            return None;
        }
        scope.extend(request);
        if let Some(limit) = scope.limit() {
            facts.end_by(rt::after(facts.started, limit));
        }
        scope.report(request.method(), facts)
    }

    /// What the call came to, for its reports.
    pub(super) fn end_with(&self, head: &Head) -> CallEnd {
        let slots = self.shared.slots();
        let context = slots.context.as_ref().expect("a call has its context until it has ended");
        match head {
            Ok((head, ..)) => CallEnd {
                delivery: context.call().delivery_at_end(is_success(slots.class, head.status)),
                attempts: context.attempts_counted().unwrap_or(1),
                status: Some(head.status),
            },
            Err(error) => CallEnd {
                delivery: error.delivery(),
                attempts: error.attempts(),
                status: error.last_status(),
            },
        }
    }

    /// The same, if the caller leaves now.
    pub(super) fn end_if_left(&self) -> CallEnd {
        let slots = self.shared.slots();
        let context = slots.context.as_ref().expect("a call has its context until it has ended");
        CallEnd {
            delivery: context.state().delivery_if_left(),
            attempts: context.attempts_counted().unwrap_or(1),
            status: context.last_status(),
        }
    }

    /// Which call the answer is of.
    pub(super) fn answer_of(&self) -> Option<AnswerOf> {
        let context = self.shared.slots().context.clone()?;
        Some(AnswerOf { context, peer: self.shared.peer() })
    }
}

/// Whether the answer's class is a success, or, where no layer has asked for it, its status.
fn is_success(class: Option<Class>, status: StatusCode) -> bool {
    class.map_or(status.is_success(), Class::is_success)
}
