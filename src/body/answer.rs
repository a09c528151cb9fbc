//! An answer's body, read through the call that it belongs to.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http_body::{Body, Frame, SizeHint};

use crate::context::{Context, Peer};
use crate::outcome::{Error, ErrorKind};
use crate::terms::Delivery;

/// An answer's body. The call ends with it.
pub struct Answer<D> {
    /// Absent once the call has ended.
    source: Option<Arc<dyn AnswerSource<D>>>,
    size: SizeHint,
    /// Which call it is of, if it is a failure without a body. (A success gives its call's memory back
    /// instead.)
    of: Option<AnswerOf>,
}

/// Which call an answer is of, and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct AnswerOf {
    pub(crate) context: Context,
    pub(crate) peer: Option<Peer>,
}

/// A call whose answer is read. It is shared, so that the answer's body needs no allocation.
pub(crate) trait AnswerSource<D>: Send + Sync {
    /// The next part of the body.
    fn poll_part(&self, cx: &mut TaskContext<'_>) -> Poll<Part<D>>;

    /// Which call it is of.
    fn answer_of(&self) -> Option<AnswerOf>;

    /// Ends the call.
    fn end(self: Arc<Self>);
}

/// A part of an answer's body.
pub(crate) struct Part<D> {
    /// A frame, or an error; `None` at the end.
    pub(crate) frame: Option<Result<Frame<D>, Error>>,
    /// The size of the rest.
    pub(crate) rest: SizeHint,
    /// The body has ended with this frame.
    pub(crate) is_last: bool,
}

impl<D> Answer<D> {
    /// `source` is absent if the body has ended already.
    pub(crate) fn new(
        source: Option<Arc<dyn AnswerSource<D>>>,
        size: SizeHint,
        of: Option<AnswerOf>,
    ) -> Self {
        Self { source, size, of }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.source.is_none()
    }

    /// Which call it is of. Not known after a body has been read to its end.
    pub(crate) fn of(&self) -> Option<AnswerOf> {
        self.source.as_ref().map_or_else(|| self.of.clone(), |source| source.answer_of())
    }

    fn end(&mut self) {
        if let Some(source) = self.source.take() {
            source.end();
        }
    }
}

impl<D> Drop for Answer<D> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<D: bytes::Buf> Body for Answer<D> {
    type Data = D;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<D>, Error>>> {
        let Some(source) = &self.source else { return Poll::Ready(None) };
        let Part { frame, rest, is_last } = ready!(source.poll_part(cx));
        self.size = rest;
        if is_last {
            self.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        match self.source {
            Some(_) => self.size,
            None => SizeHint::with_exact(0),
        }
    }
}

impl<D> fmt::Debug for Answer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("size", &self.size).finish_non_exhaustive()
    }
}

/// An error about an answer, with the facts of the call that it is of.
pub(crate) fn error_about(kind: ErrorKind, of: Option<AnswerOf>) -> Error {
    let Some(AnswerOf { context, peer }) = of else {
        return Error::new(kind, Delivery::Answered);
    };
    let (delivery, elapsed) = (context.call().delivery_at_end(false), context.elapsed());
    // A fallback's answer may be one to a request that was not sent.
    let error = Error::new(kind, delivery).with_elapsed(elapsed);
    error.with_context(&context).with_peer(|| peer)
}
