use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::report::Report;
use crate::body::GuardedBody;
use crate::error::{BoxError, Error};

pin_project! {
    /// A call or an attempt whose end will be told.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        report: Option<Report>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, report: Option<Report>) -> Self {
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
    type Output = Result<Response<GuardedBody<ResBody, Report>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let report = this.report.take();
        Poll::Ready(match result {
            Ok(mut response) => {
                let report = report.map(|report| report.answered(&mut response));
                Ok(response.map(|body| GuardedBody::new(body, report)))
            }
            Err(error) => {
                let context = report.as_ref().map(Report::context);
                let error = Error::from_inner(error, context);
                if let Some(report) = report {
                    report.failed(&error);
                }
                Err(error)
            }
        })
    }
}
