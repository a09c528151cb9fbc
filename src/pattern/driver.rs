//! Begins a call, and polls it to its answer's head. The answer's body is the rest.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};

use super::around::Next;
use super::call_box::{CallBox, CallBoxes, SharedCallBox, end, lock};
use super::wire::Wire;
use crate::body::{Answer, AnswerSource};
use crate::context::{AttemptState, Carried, Context, Scope};
use crate::outcome::Error;

/// How a call begins.
pub(crate) struct Begin<W: Wire, M> {
    pub(crate) request: Request<W::Body>,
    /// Makes the call's facts, if possible in the memory of an earlier call.
    pub(crate) context: M,
}

/// Begins a call in a free call box, or in a new one.
pub(crate) fn start<W, N, M>(
    boxes: &Arc<CallBoxes<W>>,
    stack: impl FnOnce() -> Arc<N>,
    begin: Begin<W, M>,
    prepare: impl FnOnce(&N),
) -> Running<W>
where
    W: Wire,
    N: Next<W> + 'static,
    M: FnOnce(Option<Arc<AttemptState>>) -> Context,
{
    let Begin { mut request, context } = begin;
    let made_in = Scope::current_carried();
    if let Some(scope) = &made_in {
        scope.limit_call(&mut request);
    }
    let shared = boxes.take().unwrap_or_else(|| CallBox::shared(stack(), Arc::downgrade(boxes)));
    {
        let mut call_box = lock(&shared);
        let context = context(call_box.spare.take());
        call_box.prepare(prepare);
        call_box.begin(request, context);
    }
    Running { call_box: Some(shared), is_begun: false, made_in }
}

/// The same for a call that may be answered at once: it is new, and made in no scope.
pub(crate) fn start_waiting<W, N>(
    boxes: &Arc<CallBoxes<W>>,
    stack: impl FnOnce() -> Arc<N>,
    request: Request<W::Body>,
    integration: Option<&Arc<str>>,
    prepare: impl FnOnce(&N),
) -> Running<W>
where
    W: Wire,
    N: Next<W> + 'static,
{
    let shared = boxes.take().unwrap_or_else(|| CallBox::shared(stack(), Arc::downgrade(boxes)));
    {
        let mut call_box = lock(&shared);
        call_box.prepare(prepare);
        call_box.wait(request, integration);
    }
    Running { call_box: Some(shared), is_begun: false, made_in: None }
}

/// A running call, as a future of its answer's head.
#[must_use = "a call gets no further until it is awaited"]
pub struct Running<W: Wire> {
    /// Absent once the call has ended, or its answer was returned.
    call_box: Option<SharedCallBox<W>>,
    /// It has been polled.
    is_begun: bool,
    /// What the scope in which it was made has for it, until it is polled.
    made_in: Option<Arc<Carried>>,
}

impl<W: Wire> Drop for Running<W> {
    fn drop(&mut self) {
        if let Some(call_box) = self.call_box.take() {
            end(call_box);
        }
    }
}

impl<W: Wire> Future for Running<W> {
    type Output = Result<Response<Answer<W::Data>>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = this.call_box.as_ref().expect("polled after it was ready");
        let head = {
            let mut call_box = lock(shared);
            if !std::mem::replace(&mut this.is_begun, true) {
                if let Some(answer) = call_box.answer_at_once() {
                    drop(call_box);
                    end(this.call_box.take().expect("it is locked"));
                    return Poll::Ready(Ok(answer));
                }
                let (made_in, polled_in) = (this.made_in.take(), Scope::current_carried());
                if made_in.is_some() || polled_in.is_some() {
                    call_box.enter(made_in, polled_in);
                }
            }
            let head = ready!(call_box.poll_head(cx));
            call_box.report_head(&head);
            head
        };
        let mut call_box = this.call_box.take();
        let mut of = None;
        if !matches!(head, Ok((_, _, false)))
            && let Some(call_box) = call_box.take()
        {
            // Nothing of it is left to be read.
            let failed = matches!(&head, Ok((head, ..)) if !head.status.is_success());
            of = if failed { lock(&call_box).answer_of() } else { None };
            end(call_box);
        }
        let (head, size, _) = head?;
        let body = match call_box {
            Some(call_box) => Answer::running(call_box as Arc<dyn AnswerSource<W::Data>>, size),
            None => Answer::over(of),
        };
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}

impl<W: Wire> fmt::Debug for Running<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}
