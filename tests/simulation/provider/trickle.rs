use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::clock;
use super::visit::Visit;

/// A body of so many frames of one byte, with as much silence before each.
pub(super) struct Trickle {
    left: u32,
    gap: Duration,
    silence: Option<Pin<Box<Sleep>>>,
    visit: Visit,
}

impl Trickle {
    pub(super) fn new(frames: u32, gap: Duration, visit: Visit) -> Self {
        Self { left: frames, gap, silence: None, visit }
    }
}

impl Body for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if !self.gap.is_zero() {
            let gap = self.gap;
            let silence = self.silence.get_or_insert_with(|| Box::pin(clock::sleep(gap)));
            ready!(silence.as_mut().poll(cx));
            self.silence = None;
        }
        self.left -= 1;
        if self.left == 0 {
            self.visit.end();
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b".")))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::from(self.left))
    }
}
