use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_http::csrf::{Csrf, CsrfLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::answer;
use super::inner::Inner;
use super::respond::respond;
use crate::{Body, BoxError};

/// The console: a `tower::Service` that a host mounts where it likes.
///
/// It answers on one path, and tells its pages apart by their query, so that its links work under every
/// prefix, with and without a slash at its end. Clones share all of it.
#[derive(Clone)]
pub struct Console {
    guarded: Csrf<Pages>,
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Pages(Arc<Inner>);

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;

impl Console {
    pub(super) fn new(guard: &CsrfLayer, inner: Inner) -> Self {
        let inner = Arc::new(inner);
        Self { guarded: guard.layer(Pages(Arc::clone(&inner))), inner }
    }
}

impl<B> Service<Request<B>> for Console
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (answer, inner) = (self.guarded.call(request), Arc::clone(&self.inner));
        Box::pin(async move {
            let answer = answer.await?;
            Ok(answer::guarded(answer::explained(answer, &inner)))
        })
    }
}

impl<B> Service<Request<B>> for Pages
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let (head, body) = request.into_parts();
        Box::pin(async move { Ok(respond(inner, head, body).await) })
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}
