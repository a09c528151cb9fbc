use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;

use crate::context::Context;
use crate::error::{BoxError, Error};

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
        let result = ready!(this.inner.poll(cx));
        Poll::Ready(result.map_err(|error| Error::from_inner(error, Some(this.context))))
    }
}
