use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::held::Held;
use super::pass::Pass;
use crate::body::GuardedBody;
use crate::outcome::{BoxError, Error};
use crate::pattern::ready::{Inner, Sending};

pin_project! {
    /// A call that the breaker let pass, holds or has refused.
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
        /// Waiting until the provider answers again.
        Held { held: Held, sent: Option<(Inner<S>, R)> },
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

    pub(super) fn held(held: Held, service: Inner<S>, request: Request<B>) -> Self {
        Self { state: State::Held { held, sent: Some((service, request)) }, pass: None }
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
        let mut this = self.project();
        let result = loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Rejected { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
                StateProjection::Held { held, sent } => match ready!(held.poll(cx)) {
                    Err(error) => State::Rejected { error: Some(error) },
                    Ok(pass) => {
                        let (service, request) = sent.take().expect("a request is sent once");
                        *this.pass = Some(pass);
                        // It may go: the request goes on its way.
                        State::Sent { sending: service.send_owned(request) }
                    }
                },
                StateProjection::Sent { sending } => {
                    match this.pass.as_mut().and_then(Pass::turned_away) {
                        // It leaves the queue that it waits in.
                        Some(error) => State::Rejected { error: Some(error) },
                        None => {
                            let result = sending.poll(cx);
                            if let Some(pass) = this.pass.as_mut() {
                                pass.polled();
                            }
                            break ready!(result);
                        }
                    }
                }
            };
            this.state.set(next);
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
