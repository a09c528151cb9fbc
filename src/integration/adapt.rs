use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::{Body, BodyFate, Captured, CaughtBody, Count, check};
use crate::context::Context;
use crate::outcome::{BoxError, Error};
use crate::transport::Transport;

/// Passes the stack's requests to a transport, and converts its errors.
#[derive(Clone, Debug)]
pub(crate) struct Adapt<T> {
    transport: T,
    /// A subscriber wants the exchanges.
    captures: bool,
}

pin_project! {
    /// A request that was passed to the transport.
    pub(crate) struct ResponseFuture<F> {
        // Absent if the request was refused.
        #[pin]
        inner: Option<F>,
        refused: Option<Error>,
        sent: SentBody,
    }
}

/// Results of sending the body. Some clients report a failed body only as a stream that they reset.
#[derive(Debug, Default)]
struct SentBody {
    count: Option<Count>,
    fate: Option<BodyFate>,
}

impl SentBody {
    /// The error of a call: of its own body, or else as the client reports it.
    fn explain(&self, error: Error) -> Error {
        let error = match &self.count {
            Some(count) => count.explain(error),
            None => error,
        };
        let is_broken = self.fate.as_ref().is_some_and(BodyFate::is_broken);
        if is_broken { error.half_sent() } else { error }
    }
}

impl<T> Adapt<T> {
    pub(crate) fn new(transport: T, captures: bool) -> Self {
        Self { transport, captures }
    }
}

impl<T: Transport> Service<Request<Body>> for Adapt<T> {
    type Response = Response<T::ResponseBody>;
    type Error = Error;
    type Future = ResponseFuture<T::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.transport.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let fate = CaughtBody::wrap(request.body_mut());
        let count = match check(&mut request) {
            Ok(count) => count,
            Err(error) => {
                let error = Error::from_client(error, request.extensions().get::<Context>());
                let sent = SentBody::default();
                return ResponseFuture { inner: None, refused: Some(error), sent };
            }
        };
        if self.captures {
            let context = request.extensions().get::<Context>();
            if let Some(capture) = context.and_then(|context| context.state().capture()) {
                request = request.map(|body| Captured::wrap(body, capture));
            }
        }
        let inner = Some(self.transport.call(request));
        ResponseFuture { inner, refused: None, sent: SentBody { count, fate } }
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
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(Err(this.refused.take().expect("polled after it was ready")));
        };
        let result = ready!(inner.poll(cx));
        Poll::Ready(result.map_err(|error| this.sent.explain(Error::from_inner(error, None))))
    }
}
