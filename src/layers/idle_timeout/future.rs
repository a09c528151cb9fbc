use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{ResponseBody, Watch};
use crate::outcome::{BoxError, Error};

pin_project! {
    /// An attempt whose body will be watched.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        watch: Option<Watch>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, watch: Watch) -> Self {
        Self { inner, watch: Some(watch) }
    }
}

impl<F, ResBody, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Poll::Ready(result) = this.inner.poll(cx) else { return Poll::Pending };
        let watch = this.watch.take().expect("polled after it was ready");
        match result {
            Ok(response) => {
                watch.context.call().answered(response.status());
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, watch))))
            }
            Err(error) => Poll::Ready(Err(Error::from_inner(error, Some(&watch.context)))),
        }
    }
}
