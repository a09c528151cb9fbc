use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::service::Shared;
use crate::outcome::{BoxError, Error, ErrorKind};
use crate::terms::{Fault, Phase};

pin_project! {
    /// A call with one generation of the client.
    pub struct ResponseFuture<F, S> {
        #[pin]
        inner: F,
        shared: Arc<Shared<S>>,
        generation: u64,
    }
}

impl<F, S> ResponseFuture<F, S> {
    pub(super) fn new(inner: F, shared: Arc<Shared<S>>, generation: u64) -> Self {
        Self { inner, shared, generation }
    }
}

impl<F, S, ResBody, E> Future for ResponseFuture<F, S>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<ResBody>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx)).map_err(|error| Error::from_inner(error, None));
        let connected = !result.as_ref().is_err_and(is_connection_failure);
        this.shared.record(*this.generation, connected);
        Poll::Ready(result)
    }
}

/// Whether another client, with other connections to other addresses, could fare better.
fn is_connection_failure(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Transport(fault) => !matches!(fault, Fault::NotProcessed | Fault::Body),
        ErrorKind::Timeout(phase) => phase == Phase::Connect,
        _ => false,
    }
}
