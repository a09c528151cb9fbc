use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// Is called when a body ends or fails. If it is dropped without a call, the body was left unread.
pub(crate) trait OnBodyEnd {
    fn end(self);
}

pin_project! {
    /// A body that holds a value until it is read to its end, fails or is dropped.
    ///
    /// A body that is empty from the start releases the value at once.
    #[derive(Debug)]
    pub struct GuardedBody<B, H> {
        #[pin]
        inner: B,
        holds: Option<H>,
    }
}

impl<B: Body, H> GuardedBody<B, H> {
    pub(crate) fn new(inner: B, holds: H) -> Self
    where
        H: OnBodyEnd,
    {
        if inner.is_end_stream() {
            holds.end();
            return Self { inner, holds: None };
        }
        Self { inner, holds: Some(holds) }
    }
}

impl<B, H> Body for GuardedBody<B, H>
where
    B: Body,
    H: OnBodyEnd,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut inner = this.inner;
        let frame = ready!(inner.as_mut().poll_frame(cx));
        // Readers that know the length may never poll again.
        let is_over = !matches!(frame, Some(Ok(_))) || inner.is_end_stream();
        if is_over && let Some(holds) = this.holds.take() {
            holds.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
