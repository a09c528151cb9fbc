use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::future::Watch;
use crate::outcome::{BoxError, Error};

pin_project! {
    /// An answer's body, read under the call's deadline.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        #[pin]
        watch: Watch,
        // The reader was told to wait for the next frame.
        waits: bool,
        // The deadline ended it.
        is_cut: bool,
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, watch: Watch) -> Self {
        Self { inner, watch, waits: false, is_cut: false }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Error>>> {
        let mut this = self.project();
        if *this.is_cut {
            return Poll::Ready(None);
        }
        let due = match this.inner.as_mut().poll_frame(cx) {
            Poll::Pending => this.watch.as_mut().poll_due(cx),
            // Where there is always a next frame, no timer is ever looked at. An answer that is all
            // here is handed over, late as it is.
            Poll::Ready(frame) => {
                let goes_on = matches!(frame, Some(Ok(_))) && !this.inner.is_end_stream();
                if !(goes_on && this.watch.is_due()) {
                    *this.waits = false;
                    let ours = |error| Error::from_body(error, Some(this.watch.context()));
                    return Poll::Ready(frame.map(|frame| frame.map_err(ours)));
                }
                Poll::Ready(())
            }
        };
        let call = this.watch.context().call();
        if due.is_pending() {
            *this.waits = true;
            return Poll::Pending;
        }
        if *this.waits {
            // The provider was waited for, and not a reader who came late.
            this.watch.context().state().set_cut(true);
        }
        *this.is_cut = true;
        Poll::Ready(Some(Err(this.watch.passed(call.delivery_of_answer()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
