use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::outcome::{BoxError, Error};
use crate::pattern::ready::Sending;

pin_project! {
    /// A call that the switch let pass, or its refusal.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, Request<B>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, R>
    where
        S: Service<R>,
    {
        Rejected { error: Option<Error> },
        Sent { #[pin] sending: Sending<S, R> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn rejected(error: Error) -> Self {
        Self { state: State::Rejected { error: Some(error) } }
    }

    pub(super) fn sent(sending: Sending<S, Request<B>>) -> Self {
        Self { state: State::Sent { sending } }
    }
}

impl<S, B> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Sent { sending } => sending.poll(cx),
            StateProjection::Rejected { error } => {
                Poll::Ready(Err(error.take().expect("polled after it was ready")))
            }
        }
    }
}
