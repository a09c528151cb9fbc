//! Answers from memory, which are given at a call's first poll, before any of its code runs.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Response};

use super::around::Next;
use super::attempt::Attempt;
use super::call_box::CallBox;
use super::wire::Wire;
use crate::body::{Answer, Body, StoredOf};
use crate::context::{Context, Peer, Scope};
use crate::rt;

/// A call of which nothing is known but its request: it has no context, and none of its code has run.
#[derive(Debug)]
pub struct Unbegun<'a> {
    pub(crate) request: &'a mut Request<Body>,
    pub(crate) started: Instant,
    pub(crate) now: Instant,
    /// It has a correlation id, which is made of its own id when somebody asks.
    pub(crate) is_correlated: bool,
}

/// An answer whose body is in memory.
#[derive(Debug)]
pub struct WholeAnswer {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

/// What is known of a call that may be answered at once, until it is polled.
#[derive(Debug)]
pub(super) struct Waiting {
    started: Instant,
    integration: Option<Arc<str>>,
}

/// A stack of patterns, whatever its type.
pub(super) trait AnyStack<W: Wire>: Any + Send + Sync {
    fn begin(&self, attempt: &Attempt<W>);

    fn release(&self);

    fn answer_at_once(&self, call: &mut Unbegun<'_>) -> Option<WholeAnswer>;
}

impl<W: Wire, N: Next<W> + 'static> AnyStack<W> for N {
    fn begin(&self, attempt: &Attempt<W>) {
        Next::begin(self, attempt);
    }

    fn release(&self) {
        Next::release(self);
    }

    fn answer_at_once(&self, call: &mut Unbegun<'_>) -> Option<WholeAnswer> {
        Next::answer_at_once(self, call)
    }
}

impl<W: Wire> CallBox<W> {
    /// Keeps a call that may be answered at once until it is polled.
    #[inline]
    pub(super) fn wait(&mut self, request: Request<W::Body>, integration: Option<&Arc<str>>) {
        // None of its code runs.
        self.control.is_ended.store(true, Relaxed);
        self.waiting = Some(request);
        let integration = integration.cloned();
        self.waits = Some(Waiting { started: rt::now(), integration });
    }

    /// The first poll of a call that may be answered at once. Without an answer, it begins.
    #[inline]
    pub(super) fn answer_at_once(&mut self) -> Option<Response<Answer<W::Data>>> {
        self.waits.as_ref()?;
        // A call that is polled in a scope is reported there.
        let answer = (!Scope::is_current()).then(|| self.answer()).flatten();
        if answer.is_none() {
            self.begin_late();
        }
        answer
    }

    /// The answer from memory, if there is one.
    fn answer(&mut self) -> Option<Response<Answer<W::Data>>> {
        let Waiting { started, integration } = self.waits.as_mut()?;
        let request: &mut dyn Any = self.waiting.as_mut()?;
        let request = request.downcast_mut::<Request<Body>>()?;
        let (started, now) = (*started, rt::now());
        let mut call = Unbegun { request, started, now, is_correlated: false };
        let WholeAnswer { head, body } = self.stack.answer_at_once(&mut call)?;
        let of = StoredOf {
            integration: integration.take(),
            started,
            status: head.status,
            is_correlated: call.is_correlated,
            peer: Peer::of(call.request.uri()),
        };
        Some(Response::from_parts(head, Answer::stored(body, of)))
    }

    #[inline(never)]
    fn begin_late(&mut self) {
        if let (Some(request), Some(waits)) = (self.waiting.take(), self.waits.take()) {
            let context = Context::made_at(waits.started, self.spare.take(), waits.integration);
            self.begin(request, context);
        }
    }
}
