use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::pass::Pass;
use crate::body::GuardedBody;
use crate::error::{BoxError, Error};

pin_project! {
    /// A call that the breaker let pass, or its rejection.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, Request<B>>,
        pass: Option<Pass>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, R> {
        Rejected { error: Option<Error> },
        /// The inner service isn't ready yet.
        Readying { service: S, request: Option<R> },
        /// The call is on its way.
        Calling { #[pin] future: F },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn rejected(error: Error) -> Self {
        Self { state: State::Rejected { error: Some(error) }, pass: None }
    }

    pub(super) fn calling(future: S::Future, pass: Option<Pass>) -> Self {
        Self { state: State::Calling { future }, pass }
    }

    pub(super) fn readying(service: S, request: Request<B>, pass: Option<Pass>) -> Self {
        Self { state: State::Readying { service, request: Some(request) }, pass }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ResBody: Body,
    ResBody::Error: 'static,
{
    type Output = Result<Response<GuardedBody<ResBody, Pass>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Rejected { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Readying { service, request } => {
                    if let Err(error) = ready!(service.poll_ready(cx)) {
                        let error = Error::from_inner(error, None).unsent();
                        return Poll::Ready(Err(failed(this.pass.take(), error)));
                    }
                    let request = request.take().expect("a request is sent once");
                    let future = service.call(request);
                    // Ready: the call goes on its way.
                    this.state.set(State::Calling { future });
                }
                StateProjection::Calling { future } => {
                    return match future.poll(cx) {
                        Poll::Pending => Poll::Pending,
                        Poll::Ready(Ok(mut response)) => {
                            let pass = this.pass.take();
                            let pass = pass.and_then(|pass| pass.answered(&mut response));
                            Poll::Ready(Ok(response.map(|body| GuardedBody::new(body, pass))))
                        }
                        Poll::Ready(Err(error)) => {
                            let pass = this.pass.take();
                            let error = Error::from_inner(error, pass.as_ref().map(Pass::context));
                            Poll::Ready(Err(failed(pass, error)))
                        }
                    };
                }
            }
        }
    }
}

/// Tells the breaker of the error, and hands it on.
fn failed(pass: Option<Pass>, error: Error) -> Error {
    if let Some(pass) = pass {
        pass.failed(&error);
    }
    error
}
