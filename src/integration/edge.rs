use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::Body;
use crate::outcome::{BoxError, Error};
use crate::rt::free_list::Spares;

/// A stack behind a pointer: the one place where a call is boxed.
pub(super) trait Edge: Send + Sync {
    fn send(&self, request: Request<Body>) -> BoxedCall;
}

pub(super) type BoxedCall = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// A stack, and instances of it that are free.
pub(super) struct Boxed<S> {
    template: S,
    /// Behind pointers, because a stack is large and a spare is moved twice a call.
    spares: Spares<Box<S>>,
}

impl<S> Boxed<S> {
    pub(super) fn new(template: S) -> Self {
        Self { template, spares: Spares::default() }
    }
}

impl<S, B> Edge for Boxed<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Error> + Clone + Send + Sync,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request<Body>) -> BoxedCall {
        let mut stack = self.spares.take().unwrap_or_else(|| Box::new(self.template.clone()));
        // The deadline is a barrier: whatever isn't ready is waited for inside the call.
        let ready = stack.poll_ready(&mut TaskContext::from_waker(Waker::noop()));
        if let Poll::Ready(Err(error)) = ready {
            return Box::pin(std::future::ready(Err(error)));
        }
        let call = stack.call(request);
        // Calls take with them what they need: the instance is free again.
        self.spares.give(stack);
        Box::pin(Unboxed { call })
    }
}

pin_project! {
    /// A call before it is boxed, with its answer's body boxed when it comes.
    struct Unboxed<F> {
        #[pin]
        call: F,
    }
}

impl<F, B> Future for Unboxed<F>
where
    F: Future<Output = Result<Response<B>, Error>>,
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project().call.poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response.map(Body::new))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}
