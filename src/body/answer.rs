//! An answer's body, read through the call that it belongs to.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};

use crate::outcome::Error;

/// An answer's body. The call ends with it.
pub struct Answer<D> {
    /// Absent once the call has ended.
    source: Option<Arc<dyn AnswerSource<D>>>,
    size: SizeHint,
}

/// A call whose answer is read. It is shared, so that the answer's body needs no allocation.
pub(crate) trait AnswerSource<D>: Send + Sync {
    /// The next part of the body.
    fn poll_part(&self, cx: &mut Context<'_>) -> Poll<Part<D>>;

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
    pub(crate) fn new(source: Option<Arc<dyn AnswerSource<D>>>, size: SizeHint) -> Self {
        Self { source, size }
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
        cx: &mut Context<'_>,
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
        self.source.is_none()
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
