use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Buf;
use http_body::Body;
use pin_project_lite::pin_project;

pin_project! {
    /// Reads a body that nobody wants, up to a cap.
    pub(super) struct Drain<R> {
        #[pin]
        body: Option<R>,
        left: usize,
    }
}

impl<R> Drain<R> {
    pub(super) fn new(body: Option<R>, cap: usize) -> Self {
        Self { body, left: cap }
    }
}

impl<R: Body> Drain<R> {
    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) {
        let mut this = self.project();
        while let Some(body) = this.body.as_mut().as_pin_mut() {
            match body.poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) => {
                    let size = frame.data_ref().map_or(0, Buf::remaining);
                    match this.left.checked_sub(size) {
                        Some(left) => *this.left = left,
                        None => this.body.set(None),
                    }
                }
                Poll::Ready(Some(Err(_)) | None) => this.body.set(None),
            }
        }
    }
}
