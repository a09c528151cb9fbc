//! A call under way, as its caller holds it: to its answer's head, and to the end of the body.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use super::around::Next;
use super::room::{Room, Rooms, SharedRoom, lock};
use super::wire::Wire;
use crate::context::{AttemptState, Context};
use crate::outcome::Error;

/// How a call begins.
pub(crate) struct Begin<W: Wire, M> {
    pub(crate) request: Request<W::Body>,
    /// Makes the call's facts, perhaps in the room of another's.
    pub(crate) context: M,
}

/// Begins a call, in a room that is free or a fresh one.
pub(crate) fn start<W, N, M>(
    rooms: &Arc<Rooms<W>>,
    stack: impl FnOnce() -> Arc<N>,
    begin: Begin<W, M>,
    prepare: impl FnOnce(&N),
) -> Running<W>
where
    W: Wire,
    N: Next<W> + 'static,
    M: FnOnce(Option<Arc<AttemptState>>) -> Context,
{
    let shared = rooms.take().unwrap_or_else(|| Room::shared(stack()));
    {
        let mut room = lock(&shared);
        let context = (begin.context)(room.spare.take());
        room.begin(begin.request, context, prepare);
    }
    Running { room: Some(shared), rooms: Arc::clone(rooms) }
}

/// A call under way, to its answer's head as a future.
#[must_use = "a call gets no further until it is awaited"]
pub struct Running<W: Wire> {
    /// Absent once it is over.
    room: Option<SharedRoom<W>>,
    rooms: Arc<Rooms<W>>,
}

/// An answer's body: the rest of its call.
pub struct Answer<W: Wire> {
    running: Running<W>,
    size: SizeHint,
}

impl<W: Wire> Running<W> {
    fn end(&mut self) {
        let Some(shared) = self.room.take() else { return };
        let is_free = lock(&shared).end();
        if is_free {
            self.rooms.give(shared);
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
        let shared = self.room.as_ref().expect("polled after it was ready");
        let head = ready!(lock(shared).poll_head(cx));
        let (head, size, is_over) = match head {
            Ok(head) => head,
            Err(error) => {
                self.end();
                return Poll::Ready(Err(error));
            }
        };
        let rooms = Arc::clone(&self.rooms);
        let mut running = Self { room: self.room.take(), rooms };
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
        let Some(shared) = &this.running.room else { return Poll::Ready(None) };
        let (read, is_over) = {
            let mut room = lock(shared);
            let read = ready!(room.poll_frame(cx));
            this.size = room.size();
            read
        };
        if is_over {
            this.running.end();
        }
        Poll::Ready(read)
    }

    fn is_end_stream(&self) -> bool {
        self.running.room.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.running.room {
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
