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
use crate::inner::Sending;

pin_project! {
    /// A call that the breaker let pass, or its rejection.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, Request<B>>,
        pass: Option<Pass>,
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
        Self { state: State::Rejected { error: Some(error) }, pass: None }
    }

    pub(super) fn sent(sending: Sending<S, Request<B>>, pass: Option<Pass>) -> Self {
        Self { state: State::Sent { sending }, pass }
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
        let this = self.project();
        let result = match this.state.project() {
            StateProjection::Sent { sending } => ready!(sending.poll(cx)),
            StateProjection::Rejected { error } => {
                return Poll::Ready(Err(error.take().expect("polled after it was ready")));
            }
        };
        let pass = this.pass.take();
        Poll::Ready(match result {
            Ok(mut response) => {
                let pass = pass.and_then(|pass| pass.answered(&mut response));
                Ok(response.map(|body| GuardedBody::new(body, pass)))
            }
            Err(error) => Err(match pass {
                // The breaker is told of it.
                Some(pass) => pass.failed(error),
                None => error,
            }),
        })
    }
}
