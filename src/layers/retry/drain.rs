use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::Body;
use pin_project_lite::pin_project;

use crate::body::Allowance;

pin_project! {
    /// Reads a body that nobody wants, up to a cap.
    pub(super) struct Drain<R> {
        #[pin]
        body: Option<R>,
        left: Allowance,
    }
}

impl<R> Drain<R> {
    pub(super) fn new(body: Option<R>, cap: usize) -> Self {
        Self { body, left: Allowance::new(cap) }
    }
}

impl<R: Body> Drain<R> {
    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            match body.poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) if this.left.take(&frame) => {}
                Poll::Ready(_) => this.body.set(None),
            }
        }
    }
}
