use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::convert::{from_client, to_client};
use crate::body::Body;
use crate::error::Error;

/// A `reqwest::Client` as a transport.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// Wraps `client`; its clones share its pool.
    #[must_use]
    pub fn new(client: reqwest::Client) -> Self {
        Self { client }
    }
}

impl Service<Request<Body>> for ReqwestTransport {
    type Response = Response<reqwest::Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // A reqwest client is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let sent = to_client(request).map(|request| self.client.execute(request));
        Box::pin(async move {
            let response = sent?.await.map_err(|error| Error::from_inner(error, None))?;
            Ok(from_client(response))
        })
    }
}
