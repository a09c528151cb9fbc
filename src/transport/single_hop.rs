use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::hop;
use crate::context::Context;
use crate::outcome::{BoxError, Error};

/// Asserts that a client sends one request a call, so that its errors prove something.
///
/// A service may take several steps for a call: a redirect, a token that is fetched, a repetition of
/// its own, a second API. Then its error is of the last step, and "connection refused" doesn't mean
/// that nothing was sent. So an error of a service that isn't this crate's never says
/// [`NotSent`](crate::Delivery::NotSent) by itself: it is [`Unknown`](crate::Delivery::Unknown), and
/// a POST without a key is not repeated after it, nor after a 421 or 425.
///
/// This wrapper claims that the client:
///
/// - sends the request that it is given, or none: it follows no redirect, repeats nothing that may
///   have reached the provider, and asks nobody else;
/// - returns the errors of that request, and not those of another.
///
/// hyper-util's legacy client is one: what it repeats by itself was never written.
///
/// ```
/// # #[cfg(feature = "hyper")]
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use outrigger::{Body, Integration, transport::SingleHop};
///
/// let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
/// let shop = Integration::user_flow("shop").service(SingleHop::new(client)).build()?;
/// # let _ = shop;
/// # Ok(()) }
/// # #[cfg(not(feature = "hyper"))]
/// # fn main() {}
/// ```
///
/// The crate's own client needs no such word, and a reqwest client has
/// [one of its own](crate::transport::reqwest::ReqwestTransport::single_hop).
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleHop<S> {
    client: S,
}

pin_project! {
    /// A request to a [`SingleHop`].
    #[derive(Debug)]
    pub struct SingleHopFuture<F> {
        #[pin]
        request: F,
        context: Option<Context>,
    }
}

impl<S> SingleHop<S> {
    /// Asserts this of `client`.
    #[must_use]
    pub fn new(client: S) -> Self {
        Self { client }
    }
}

impl<S, B, R> Service<Request<B>> for SingleHop<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = Error;
    type Future = SingleHopFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.client.poll_ready(cx).map_err(|error| Error::from_inner(error, None).unsent())
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let context = request.extensions().get::<Context>().cloned();
        hop::hand_over(context.as_ref());
        SingleHopFuture { request: self.client.call(request), context }
    }
}

impl<F, R, E> Future for SingleHopFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<R>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let context = this.context.as_ref();
        Poll::Ready(match ready!(this.request.poll(cx)) {
            Ok(mut response) => {
                hop::answered(context, &mut response);
                Ok(response)
            }
            Err(error) => Err(hop::failed(context, error)),
        })
    }
}
