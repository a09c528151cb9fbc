use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::report::Report;
use crate::body::{BodyEnd, OnBodyEnd};

pin_project! {
    /// An answer's body, whose end is told.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        report: Option<Box<Report>>,
    }
}

impl<B: Body> ResponseBody<B>
where
    B::Error: 'static,
{
    pub(super) fn new(inner: B, report: Option<Box<Report>>) -> Self {
        let report = match report {
            Some(report) if inner.is_end_stream() => {
                report.end(BodyEnd::<B::Error>::Complete);
                None
            }
            report => report,
        };
        Self { inner, report }
    }
}

impl<B: Body> Body for ResponseBody<B>
where
    B::Error: 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(report) = this.report.as_mut() {
            let end = match &frame {
                None => Some(BodyEnd::Complete),
                Some(Err(error)) => Some(BodyEnd::Error(error)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        report.received(data);
                    }
                    // Readers that know the length may never poll again.
                    this.inner.is_end_stream().then_some(BodyEnd::Complete)
                }
            };
            if let Some(end) = end
                && let Some(report) = this.report.take()
            {
                report.end(end);
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
