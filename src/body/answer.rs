//! An answer's body, read through the call that it belongs to.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};

use crate::context::{Context, Peer};
use crate::outcome::{Error, ErrorKind};
use crate::rt::Rng;
use crate::terms::Delivery;

/// An answer's body. The call ends with it.
pub struct Answer<D>(Source<D>);

/// Where the rest of a body comes from.
enum Source<D> {
    /// From the call, which runs, and the size of the rest.
    Call(Arc<dyn AnswerSource<D>>, SizeHint),
    /// From memory: the call has ended.
    Stored(Bytes, StoredOf),
    /// It has ended. Which call it is of, if it is a failure without a body. (A success gives its call's
    /// memory back instead.)
    Over(Option<AnswerOf>),
}

/// What is known of a call that was answered from memory. Its facts are made when somebody asks for them.
#[derive(Debug)]
pub(crate) struct StoredOf {
    pub(crate) integration: Option<Arc<str>>,
    pub(crate) started: Instant,
    pub(crate) status: StatusCode,
    /// It has a correlation id, made of its own id.
    pub(crate) is_correlated: bool,
    pub(crate) peer: Option<Peer>,
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
    /// The body of a call that runs.
    pub(crate) fn running(call: Arc<dyn AnswerSource<D>>, size: SizeHint) -> Self {
        Self(Source::Call(call, size))
    }

    /// A body that has ended.
    pub(crate) fn over(of: Option<AnswerOf>) -> Self {
        Self(Source::Over(of))
    }

    /// A body from memory.
    pub(crate) fn stored(bytes: Bytes, of: StoredOf) -> Self {
        match bytes.is_empty() {
            true => Self::over(None),
            false => Self(Source::Stored(bytes, of)),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.0, Source::Over(_))
    }

    /// Which call it is of. Not known after a body has been read to its end.
    pub(crate) fn of(&self) -> Option<AnswerOf> {
        match &self.0 {
            Source::Call(call, _) => call.answer_of(),
            Source::Stored(_, of) => Some(of.answer_of()),
            Source::Over(of) => of.clone(),
        }
    }

    fn size(&self) -> SizeHint {
        match &self.0 {
            Source::Call(_, size) => *size,
            Source::Stored(bytes, _) => SizeHint::with_exact(bytes.len() as u64),
            Source::Over(_) => SizeHint::with_exact(0),
        }
    }

    fn end(&mut self) {
        if let Source::Call(call, _) = &self.0 {
            let call = Arc::clone(call);
            self.0 = Source::Over(None);
            call.end();
        }
    }
}

impl StoredOf {
    fn answer_of(&self) -> AnswerOf {
        let context = Context::answered_here(self.started, self.integration.as_ref(), self.status);
        if self.is_correlated {
            context.call().correlate(&Rng::system());
        }
        AnswerOf { context, peer: self.peer.clone() }
    }
}

impl<D> Drop for Answer<D> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<D: bytes::Buf + From<Bytes>> Body for Answer<D> {
    type Data = D;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<D>, Error>>> {
        match &mut self.0 {
            Source::Call(call, size) => {
                let Part { frame, rest, is_last } = ready!(call.poll_part(cx));
                *size = rest;
                if is_last {
                    self.end();
                }
                Poll::Ready(frame)
            }
            Source::Stored(bytes, _) => {
                let data = std::mem::take(bytes).into();
                self.0 = Source::Over(None);
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Source::Over(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over()
    }

    fn size_hint(&self) -> SizeHint {
        self.size()
    }
}

impl<D> fmt::Debug for Answer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("size", &self.size()).finish_non_exhaustive()
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
