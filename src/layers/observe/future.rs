use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ResponseBody;
use super::report::Report;
use crate::outcome::{BoxError, Error};

pin_project! {
    /// A call or an attempt whose end will be told.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        report: Option<Box<Report>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, report: Option<Box<Report>>) -> Self {
        Self { inner, report }
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: 'static,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(report) = this.report {
            report.polled();
        }
        match this.inner.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(mut response)) => {
                let report = this.report.take().map(|report| report.answered(&mut response));
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, report))))
            }
            Poll::Ready(Err(error)) => {
                let report = this.report.take();
                let error = Error::from_inner(error, report.as_deref().map(Report::context));
                if let Some(mut report) = report {
                    report.failed(&error);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}
