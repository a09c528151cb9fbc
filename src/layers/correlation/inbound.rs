use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::context::{Scope, Scoped};

/// For a server: every call that is made while a request is handled gets the request's trace and
/// correlation id, and the response gets the id.
///
/// It goes around a whole axum router or any other tower service, once:
///
/// ```
/// use http::{Request, Response};
/// use outrigger::{Body, Error, correlation::InboundLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = service_fn(|_: Request<Body>| async {
///     // All calls that are made in here carry the id.
///     Ok::<_, Error>(Response::new(Body::empty()))
/// });
/// let service = ServiceBuilder::new().layer(InboundLayer::new()).service(router);
///
/// let request = Request::get("/orders").header("x-request-id", "order-1042").body(Body::empty())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.headers()["x-request-id"], "order-1042");
/// # Ok(()) }
/// ```
///
/// See [`Scope::inbound`] for what it takes from the request, and what it doesn't trust. Work that a
/// handler spawns is outside of its scope: run that in [`Scope::new`]. So is a body that is streamed
/// after the handler returned.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct InboundLayer(());

/// Handles requests in a scope of their own. See [`InboundLayer`].
#[derive(Clone, Copy, Debug)]
pub struct Inbound<S>(S);

pin_project! {
    /// A request that is handled in its scope.
    pub struct InboundFuture<F> {
        #[pin]
        inner: Scoped<F>,
        scope: Scope,
    }
}

impl InboundLayer {
    /// The layer; there is nothing to set.
    pub fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for InboundLayer {
    type Service = Inbound<S>;

    fn layer(&self, inner: S) -> Inbound<S> {
        Inbound(inner)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Inbound<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InboundFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let scope = Scope::inbound(request.headers());
        // `call` may do work before it returns its future.
        let future = scope.clone().run_now(|| self.0.call(request));
        InboundFuture { inner: scope.clone().run(future), scope }
    }
}

impl<F, B, E> Future for InboundFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        Poll::Ready(result.map(|mut response| {
            this.scope.mark(response.headers_mut());
            response
        }))
    }
}
