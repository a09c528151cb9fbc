//! Answers from memory, which are given at a call's first poll, before any of its code runs.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Response};

use super::around::Next;
use super::attempt::Attempt;
use super::wire::Wire;
use crate::body::{Answer, Body, StoredOf};
use crate::context::{AttemptState, Context, Peer};
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

/// A call that may be answered at once, until it is polled.
#[derive(Debug)]
pub(super) struct Waiting<W: Wire> {
    request: Request<W::Body>,
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

impl<W: Wire> Waiting<W> {
    pub(super) fn new(request: Request<W::Body>, integration: Option<Arc<str>>) -> Self {
        Self { request, started: rt::now(), integration }
    }

    /// The answer from memory, if there is one.
    pub(super) fn answer(&mut self, stack: &dyn AnyStack<W>) -> Option<Response<Answer<W::Data>>> {
        let request: &mut dyn Any = &mut self.request;
        let request = request.downcast_mut()?;
        let (started, now) = (self.started, rt::now());
        let mut call = Unbegun { request, started, now, is_correlated: false };
        let WholeAnswer { head, body } = stack.answer_at_once(&mut call)?;
        let of = StoredOf {
            integration: self.integration.take(),
            started,
            status: head.status,
            is_correlated: call.is_correlated,
            peer: Peer::of(self.request.uri()),
        };
        Some(Response::from_parts(head, Answer::stored(body, of)))
    }

    /// The request, and the context of its call, if possible in the memory of an earlier one.
    pub(super) fn begin(self, spare: Option<Arc<AttemptState>>) -> (Request<W::Body>, Context) {
        (self.request, Context::made_at(self.started, spare, self.integration))
    }
}
