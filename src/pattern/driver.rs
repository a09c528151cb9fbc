//! What a caller holds of a call: a future for the answer's head, then the answer's body.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use super::around::Next;
use super::call_box::{CallBox, CallBoxes, SharedCallBox, lock};
use super::wire::Wire;
use crate::context::{AttemptState, Context};
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
    let shared = boxes.take().unwrap_or_else(|| CallBox::shared(stack()));
    {
        let mut call_box = lock(&shared);
        let context = (begin.context)(call_box.spare.take());
        call_box.begin(begin.request, context, prepare);
    }
    Running { call_box: Some(shared), boxes: Arc::clone(boxes) }
}

/// A running call, as a future of its answer's head.
#[must_use = "a call gets no further until it is awaited"]
pub struct Running<W: Wire> {
    /// Absent once the call has ended.
    call_box: Option<SharedCallBox<W>>,
    boxes: Arc<CallBoxes<W>>,
}

/// An answer's body. The call ends with it.
pub struct Answer<W: Wire> {
    running: Running<W>,
    size: SizeHint,
}

impl<W: Wire> Running<W> {
    fn end(&mut self) {
        let Some(shared) = self.call_box.take() else { return };
        let is_free = lock(&shared).end();
        if is_free {
            self.boxes.give(shared);
        }
    }
}

impl<W: Wire> Drop for Running<W> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<W: Wire> Future for Running<W> {
    type Output = Result<Response<Answer<W>>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let shared = self.call_box.as_ref().expect("polled after it was ready");
        let head = ready!(lock(shared).poll_head(cx));
        let (head, size, is_over) = match head {
            Ok(head) => head,
            Err(error) => {
                self.end();
                return Poll::Ready(Err(error));
            }
        };
        let boxes = Arc::clone(&self.boxes);
        let mut running = Self { call_box: self.call_box.take(), boxes };
        if is_over {
            running.end();
        }
        Poll::Ready(Ok(Response::from_parts(head, Answer { running, size })))
    }
}

impl<W: Wire> Body for Answer<W> {
    type Data = W::Data;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<W::Data>, Error>>> {
        let this = &mut *self;
        let Some(shared) = &this.running.call_box else { return Poll::Ready(None) };
        let (read, is_over) = {
            let mut call_box = lock(shared);
            let read = ready!(call_box.poll_frame(cx));
            this.size = call_box.size();
            read
        };
        if is_over {
            this.running.end();
        }
        Poll::Ready(read)
    }

    fn is_end_stream(&self) -> bool {
        self.running.call_box.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.running.call_box {
            Some(_) => self.size,
            None => SizeHint::with_exact(0),
        }
    }
}

impl<W: Wire> fmt::Debug for Running<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl<W: Wire> fmt::Debug for Answer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("size", &self.size).finish_non_exhaustive()
    }
}
