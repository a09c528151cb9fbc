use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::allowance::Allowance;

pin_project! {
    /// An answer's body: as it comes, or what was kept of it while its call waited for another attempt.
    #[derive(Debug)]
    pub struct KeptBody<B>
    where
        B: Body,
    {
        #[pin]
        source: Source<B>,
    }
}

pin_project! {
    #[project = SourceProjection]
    #[derive(Debug)]
    enum Source<B>
    where
        B: Body,
    {
        Live { #[pin] body: B },
        // Boxed: few answers are kept, and every one would carry the room.
        Kept { kept: Box<Kept<B>> },
    }
}

/// What polling a body for a frame comes to.
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// What was read of a body, and the rest of it.
pub(crate) struct Kept<B: Body> {
    frames: VecDeque<Frame<B::Data>>,
    error: Option<B::Error>,
    /// Absent once it was read to its end.
    rest: Option<Pin<Box<B>>>,
    /// How much more may be kept.
    left: Allowance,
}

impl<B: Body> Kept<B> {
    /// Keeps as much as this, in bytes: so far a body is read off, and the rest is left where it is.
    pub(crate) fn new(body: B, cap: usize) -> Box<Self> {
        let rest = Some(Box::pin(body));
        Box::new(Self { frames: VecDeque::new(), error: None, rest, left: Allowance::new(cap) })
    }

    /// Reads what is there.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        while let Some(rest) = self.rest.as_mut().filter(|_| !self.left.is_used_up()) {
            match rest.as_mut().poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) => {
                    self.left.take(&frame);
                    self.frames.push_back(frame);
                    // What is at its end holds nothing any longer.
                    if rest.is_end_stream() {
                        self.rest = None;
                    }
                }
                Poll::Ready(Some(Err(error))) => (self.error, self.rest) = (Some(error), None),
                Poll::Ready(None) => self.rest = None,
            }
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Polled<B> {
        if let Some(frame) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        match (self.error.take(), &mut self.rest) {
            (Some(error), _) => Poll::Ready(Some(Err(error))),
            (None, Some(rest)) => rest.as_mut().poll_frame(cx),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_over = self.rest.as_ref().is_none_or(Body::is_end_stream);
        is_over && self.frames.is_empty() && self.error.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let sizes = self.frames.iter().filter_map(Frame::data_ref).map(Buf::remaining);
        let kept = sizes.sum::<usize>() as u64;
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(kept));
        if let Some(upper) = rest.upper().filter(|_| self.error.is_none()) {
            hint.set_upper(upper.saturating_add(kept));
        }
        hint
    }
}

impl<B: Body> fmt::Debug for Kept<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("frames", &self.frames.len()).finish_non_exhaustive()
    }
}

impl<B: Body> KeptBody<B> {
    pub(crate) fn live(body: B) -> Self {
        Self { source: Source::Live { body } }
    }

    pub(crate) fn kept(kept: Box<Kept<B>>) -> Self {
        Self { source: Source::Kept { kept } }
    }
}

impl<B: Body> Body for KeptBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().source.project() {
            SourceProjection::Live { body } => body.poll_frame(cx),
            SourceProjection::Kept { kept } => kept.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Live { body } => body.is_end_stream(),
            Source::Kept { kept } => kept.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Live { body } => body.size_hint(),
            Source::Kept { kept } => kept.size_hint(),
        }
    }
}
