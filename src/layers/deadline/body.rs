use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::future::Watch;
use crate::error::{BoxError, Delivery, Error};

pin_project! {
    /// An answer's body, read under the call's deadline.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        #[pin]
        watch: Watch,
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, watch: Watch) -> Self {
        Self { inner, watch }
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
        let this = self.project();
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            let ours = |error| Error::from_body(error, Some(this.watch.context()));
            return Poll::Ready(frame.map(|frame| frame.map_err(ours)));
        }
        this.watch.poll_due(cx, Delivery::Answered).map(|error| Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
