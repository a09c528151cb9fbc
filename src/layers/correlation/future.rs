use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::Context;
use crate::outcome::{BoxError, Error};

pin_project! {
    /// A call whose errors carry its ids.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        context: Context,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, context: Context) -> Self {
        Self { inner, context }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: Into<BoxError>,
{
    type Output = Result<R, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.inner.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
            Poll::Ready(Err(error)) => {
                Poll::Ready(Err(Error::from_inner(error, Some(this.context))))
            }
        }
    }
}
