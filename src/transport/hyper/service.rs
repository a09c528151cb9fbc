use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::config::HyperConfig;
use super::connect::Connect;
use super::watch::Watch;
use crate::body::{Body, GuardedBody};
use crate::context::Context;

/// A hyper-util client with its own pool.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connect, Body>,
}

pin_project! {
    /// A request on its way.
    pub struct ResponseFuture {
        #[pin]
        inner: legacy::ResponseFuture,
        watch: Option<Watch>,
    }
}

/// The body of an answer, which ends the use of its connection if a limit cuts it.
pub type ResponseBody = GuardedBody<Incoming, Watch>;

impl HyperTransport {
    pub(super) fn new(config: &HyperConfig) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(config.pool_idle_timeout)
            .pool_max_idle_per_host(config.pool_max_idle_per_host)
            .http2_only(config.http2_prior_knowledge)
            .build(Connect::new(config));
        Self { client }
    }
}

impl Service<Request<Body>> for HyperTransport {
    type Response = Response<ResponseBody>;
    type Error = legacy::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), legacy::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> ResponseFuture {
        let context = request.extensions().get::<Context>().cloned();
        let watch = Watch::new(capture_connection(&mut request), context);
        ResponseFuture { inner: self.client.call(request), watch: Some(watch) }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, legacy::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let watch = this.watch.take();
        if let Some(watch) = watch.as_ref().filter(|_| is_misdirected(&response)) {
            watch.leave_connection();
        }
        Poll::Ready(Ok(response.map(|body| GuardedBody::new(body, watch))))
    }
}

/// Another attempt must go over another connection (RFC 9110, 15.5.20).
fn is_misdirected<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::MISDIRECTED_REQUEST
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}
