use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// How the reading of a body ended, when it did.
#[derive(Debug)]
pub(crate) enum BodyEnd<'a, E> {
    /// It was read to its end.
    Complete,
    /// It broke.
    Error(&'a E),
}

/// Is told how a body ended; what is dropped untold was left unread. What it holds goes with it.
pub(crate) trait OnBodyEnd<E> {
    fn end(self, end: BodyEnd<'_, E>);
}

pin_project! {
    /// A body that holds something until it is read to its end, breaks or is dropped.
    ///
    /// A body that is at its end from the start lets go at once.
    #[derive(Debug)]
    pub struct GuardedBody<B, H> {
        #[pin]
        inner: B,
        holds: Option<H>,
    }
}

impl<B: Body, H> GuardedBody<B, H> {
    /// Guards `inner`; a layer that has nothing to hold passes `None`.
    #[inline]
    pub(crate) fn new(inner: B, holds: Option<H>) -> Self
    where
        H: OnBodyEnd<B::Error>,
    {
        let holds = match holds {
            Some(holds) if inner.is_end_stream() => {
                holds.end(BodyEnd::Complete);
                None
            }
            holds => holds,
        };
        Self { inner, holds }
    }
}

impl<B, H> Body for GuardedBody<B, H>
where
    B: Body,
    H: OnBodyEnd<B::Error>,
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
        if this.holds.is_some() {
            let end = match &frame {
                None => Some(BodyEnd::Complete),
                Some(Err(error)) => Some(BodyEnd::Error(error)),
                // Readers that know the length may never poll again.
                Some(Ok(_)) => inner.is_end_stream().then_some(BodyEnd::Complete),
            };
            if let Some(end) = end
                && let Some(holds) = this.holds.take()
            {
                holds.end(end);
            }
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
